"""Export a trained model, and check what was written against PyTorch.

    python tools/deployment/export.py configs/cc_r50_market.py best.pth reid.onnx

The suffix of the output file selects the format: ``.onnx``, ``.torchscript``, or
``.pt2`` of ``torch.export``. The file takes any number B of float32 RGB images
(B, 3, H, W) in the size of the config's test pipeline, and returns L2-normalised
embeddings (B, D).
"""

import argparse
import tempfile
from pathlib import Path
from typing import cast

import numpy as np
import torch
from formats import RUNNERS, WRITERS, quantise
from mmengine.config import Config
from torch import Tensor, nn

from mmreid_cc.apis.model import load_config, load_model, scope_of
from mmreid_cc.apis.preprocessing import Preprocessing, pipeline_config
from mmreid_cc.datasets.crops import list_images
from mmreid_cc.engine.cfg_options import add_cfg_options, merge_cfg_options
from mmreid_cc.models.deployed import DeployedModel

TOLERANCE = 1e-4
LEAST_SIMILARITY = 0.5  # of 8 bits: with less, hardly a thing is left of the model
CHECKED = 32  # images of a folder


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config')
    parser.add_argument('checkpoint', help='path of the checkpoint')
    parser.add_argument(
        'out', type=Path, help='output file, which must end in ' + ', '.join(WRITERS)
    )
    parser.add_argument(
        '--pixels',
        action='store_true',
        help='export a network that takes pixels from 0 to 255; otherwise it takes '
        'images that are normalised by the mean and deviation of the config',
    )
    parser.add_argument(
        '--int8', action='store_true', help='write ONNX with 8-bit weights'
    )
    parser.add_argument(
        '--images',
        type=Path,
        help='folder of crops for the check (default: random noise)',
    )
    add_cfg_options(parser)
    args = parser.parse_args()
    if args.out.suffix not in WRITERS:
        parser.error(f'{args.out} must end in one of {", ".join(WRITERS)}')
    if args.int8 and args.out.suffix != '.onnx':
        parser.error('--int8 is for ONNX: the name of the file must end in .onnx')
    return args


def read_images(cfg: Config, images: list[str] | list[np.ndarray]) -> Tensor:
    """Prepare images by the test pipeline of a config.

    Args:
        cfg: with ``test_dataloader``.
        images: files, or BGR pixels (H, W, 3), uint8.

    Returns:
        BGR pixels (N, 3, H, W), uint8.
    """
    with scope_of(cfg):
        prepare = Preprocessing(pipeline_config(cfg))
    return torch.stack([prepare(image)['inputs'] for image in images])


def inputs_of(
    model: nn.Module, crops: Tensor, takes_pixels: bool
) -> tuple[Tensor, Tensor]:
    """Return the input of the model, and that of the exported file.

    Args:
        model: with its data preprocessor.
        crops: BGR pixels (N, 3, H, W), uint8.
        takes_pixels: see :class:`DeployedModel`.

    Returns:
        Two batches of RGB images (N, 3, H, W), float32; the first is normalised.
    """
    preprocess = cast(nn.Module, model.data_preprocessor)
    normalised = preprocess({'inputs': crops})['inputs']
    return normalised, crops.flip(1).float() if takes_pixels else normalised


@torch.no_grad()
def largest_difference(file: Path, images: Tensor, embeddings: Tensor) -> float:
    """Run an exported file on batches of several sizes.

    Args:
        file: of any format.
        images: what it takes, (N, 3, H, W).
        embeddings: of PyTorch, (N, D).

    Returns:
        The largest difference of any number in the embeddings.
    """
    run = RUNNERS[file.suffix](file)
    sizes = {1, 2, len(images)}
    differences = [(run(images[:n]) - embeddings[:n]).abs().max() for n in sizes]
    return max(differences).item()


@torch.no_grad()
def export(model: nn.Module, crops: Tensor, out: Path, takes_pixels: bool) -> float:
    """Write a file and check it.

    Args:
        model: trained, in evaluation mode.
        crops: BGR pixels (N, 3, H, W), at least two, uint8.
        out: written, or replaced; its suffix says the format.
        takes_pixels: see :class:`DeployedModel`.

    Returns:
        The largest difference to the embeddings of the model.

    Raises:
        ValueError: If it is larger than 1e-4; nothing is written.
    """
    normalised, images = inputs_of(model, crops, takes_pixels)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        part = Path(folder, out.name)
        WRITERS[out.suffix](DeployedModel(model, takes_pixels), images[:2], part)
        difference = largest_difference(part, images, model(normalised, mode='tensor'))
        if not difference <= TOLERANCE:  # nor if it is nan
            raise ValueError(
                f'The embeddings of {out} differ from those of PyTorch by '
                f'{difference:.1e}, and {TOLERANCE:.0e} is allowed. It was not '
                'written. Try another format.'
            )
        part.replace(out)
    return difference


@torch.no_grad()
def export_int8(
    model: nn.Module, crops: Tensor, out: Path, takes_pixels: bool
) -> float:
    """Write ONNX with weights of 8 bits, after checking the float32 version.

    Args:
        model: as in :func:`export`.
        crops: as in :func:`export`.
        out: written, or replaced.
        takes_pixels: see :class:`DeployedModel`.

    Returns:
        The mean cosine similarity to the embeddings of the model.

    Raises:
        ValueError: If it is below 0.5 or no number; nothing is written.
    """
    normalised, images = inputs_of(model, crops, takes_pixels)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        exact, part = Path(folder, 'float32.onnx'), Path(folder, out.name)
        export(model, crops, exact, takes_pixels)
        quantise(exact, part)
        embeddings = RUNNERS[part.suffix](part)(images)
        cosines = (embeddings * model(normalised, mode='tensor')).sum(dim=1)
        similarity = cosines.mean().item()
        if not similarity >= LEAST_SIMILARITY:  # nor if it is nan
            raise ValueError(
                f'The embeddings of {out} have a mean cosine similarity of '
                f'{similarity:.2f} to those of PyTorch, and {LEAST_SIMILARITY} is the '
                'least that is allowed. It was not written. Export without --int8.'
            )
        part.replace(out)
    return similarity


def main() -> None:
    args = parse_args()
    cfg = Config.fromfile(args.config)
    merge_cfg_options(cfg, args.cfg_options)
    cfg = load_config(cfg)
    model = load_model(cfg, args.checkpoint, 'cpu')
    if args.images:
        files = [str(file) for file in list_images(args.images)[:CHECKED]]
        if len(files) < 2:
            raise ValueError(f'{args.images} holds {len(files)} images, not two.')
        crops, where = read_images(cfg, files), f'{len(files)} images of {args.images}'
    else:
        noise = np.random.default_rng(0).integers(0, 256, (4, 128, 64, 3), np.uint8)
        crops, where = read_images(cfg, list(noise)), 'drawn noise'
    args.out.parent.mkdir(parents=True, exist_ok=True)
    size = ' × '.join(map(str, crops.shape[2:]))
    if args.int8:
        similarity = export_int8(model, crops, args.out, args.pixels)
        print(
            f'Mean cosine similarity to PyTorch on {where}: {similarity:.4f}. Measure '
            'the loss of accuracy with test_exported.py.'
        )
    else:
        difference = export(model, crops, args.out, args.pixels)
        print(f'Largest difference to PyTorch on {where}: {difference:.1e}')
    takes = 'pixels from 0 to 255' if args.pixels else 'normalised images'
    print(f'Written to {args.out}, which takes RGB {takes}, {size}')


if __name__ == '__main__':
    main()
