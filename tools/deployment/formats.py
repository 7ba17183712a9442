"""Write a network as ONNX, TorchScript or exported program, and run what was written.

The suffix of a file says its format.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor

from mmreid_cc.models.deployed import DeployedModel

OPSET = 18
# The name of an input says what is expected, see DeployedModel.
PIXELS, NORMALISED = 'pixels', 'images'
OUTPUT = 'embeddings'


def write_onnx(network: DeployedModel, images: Tensor, file: Path) -> None:
    """Write ONNX with a free batch size, in one file.

    Args:
        network: to write.
        images: what it takes, at least two, of the size of all later ones.
        file: written.
    """
    torch.onnx.export(
        network,
        (images,),
        file,
        input_names=[PIXELS if network.takes_pixels else NORMALISED],
        output_names=[OUTPUT],
        opset_version=OPSET,
        dynamic_shapes=({0: torch.export.Dim('batch')},),
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def write_torchscript(network: DeployedModel, images: Tensor, file: Path) -> None:
    """Trace the network and write TorchScript, like :func:`write_onnx`."""
    with warnings.catch_warnings():
        # Of what depends on the size of the images, which is fixed.
        warnings.simplefilter('ignore', torch.jit.TracerWarning)
        traced = torch.jit.trace(network, images)
    traced.save(file)


def write_program(network: DeployedModel, images: Tensor, file: Path) -> None:
    """Write an exported program of ``torch.export``, like :func:`write_onnx`."""
    shapes = ({0: torch.export.Dim('batch')},)
    program = torch.export.export(network, (images,), dynamic_shapes=shapes)
    torch.export.save(program, file)


def run_onnx(file: Path) -> Callable[[Tensor], Tensor]:
    """Open an ONNX file by onnxruntime on the CPU.

    Args:
        file: of one input and one output.

    Returns:
        Images (B, 3, H, W) to embeddings (B, D), float32.
    """
    session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    return lambda images: torch.from_numpy(session.run(None, {name: images.numpy()})[0])


def run_torchscript(file: Path) -> Callable[[Tensor], Tensor]:
    """Open TorchScript, like :func:`run_onnx`."""
    return torch.jit.load(file, 'cpu')


def run_program(file: Path) -> Callable[[Tensor], Tensor]:
    """Open an exported program, like :func:`run_onnx`."""
    return torch.export.load(file).module()


WRITERS = {
    '.onnx': write_onnx,
    '.torchscript': write_torchscript,
    '.pt2': write_program,
}
RUNNERS = {'.onnx': run_onnx, '.torchscript': run_torchscript, '.pt2': run_program}


def quantise(source: Path, file: Path) -> None:
    """Write an ONNX file again with its weights in 8 bits.

    Activations are scaled by their range in each batch (dynamic quantisation), so that
    no images are needed for it.

    Args:
        source: of :func:`write_onnx`.
        file: written.
    """
    # Unsigned: onnxruntime has no convolution of signed weights on the CPU.
    quantize_dynamic(source, file, weight_type=QuantType.QUInt8)


def takes_pixels(file: Path) -> bool:
    """Return whether an ONNX file normalises its input itself.

    Args:
        file: of :func:`write_onnx` or :func:`quantise`.

    Returns:
        See :class:`DeployedModel`.

    Raises:
        ValueError: If it is not from there.
    """
    session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    if name not in (PIXELS, NORMALISED):
        raise ValueError(
            f'{file} takes {name!r}, and was not written by export.py, whose files '
            f'take {NORMALISED!r} or {PIXELS!r}.'
        )
    return name == PIXELS
