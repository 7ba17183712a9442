"""Test an exported ONNX file on the test set of a config.

    python tools/deployment/test_exported.py configs/cc_r50_market.py reid.onnx

It uses the config's loader and metric, as ``tools/test.py`` does for a checkpoint. Use
it to measure the loss of accuracy with 8 bits.
"""

import argparse
from pathlib import Path

import torch
from formats import run_onnx, takes_pixels
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch import Tensor

from mmreid_cc.apis.model import load_config
from mmreid_cc.engine.launch import set_data_root
from mmreid_cc.registry import MODELS


@MODELS.register_module()
class ExportedModel(BaseModel):
    """An ONNX file in place of a model, to be tested.

    Args:
        file: of ``export.py``.
        data_preprocessor: config, as of the model that was exported.
    """

    def __init__(self, file: str, data_preprocessor: dict) -> None:
        super().__init__(data_preprocessor)
        self.run = run_onnx(Path(file))

    def forward(
        self, inputs: Tensor, data_samples: list[DataSample], mode: str
    ) -> list[DataSample]:
        """Put the embeddings on data samples.

        Args:
            inputs: what the file takes, (B, 3, H, W).
            data_samples: B of them.
            mode: must be ``'predict'``.

        Returns:
            The data samples, each with ``feature``.

        Raises:
            ValueError: If it is not to predict.
        """
        if mode != 'predict':
            raise ValueError(f'An exported file can only predict, not {mode!r}.')
        for sample, embedding in zip(data_samples, self.run(inputs.cpu()), strict=True):
            sample.set_field(embedding.clone(), 'feature', dtype=torch.Tensor)
        return data_samples


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        'exported', type=Path, help='ONNX file that export.py has written'
    )
    parser.add_argument('--data-root', help='folder of the data set')
    parser.add_argument('--work-dir', help='folder for the log', default='work_dirs')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config)
    if args.data_root is not None:
        set_data_root(cfg, args.data_root)
    preprocessor = cfg.model.data_preprocessor
    if takes_pixels(args.exported):
        preprocessor.update(mean=None, std=None)
    cfg.model = dict(
        type='ExportedModel', file=str(args.exported), data_preprocessor=preprocessor
    )
    cfg.work_dir = args.work_dir
    cfg.load_from = None
    Runner.from_cfg(cfg).test()


if __name__ == '__main__':
    main()
