"""The test pipeline of a config, for files and arrays."""

from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmengine.dataset import Compose

from mmreid_cc.datasets import LoadReIDImage
from mmreid_cc.registry import TRANSFORMS


def pipeline_config(cfg: Config) -> list[dict]:
    """Return the transforms that a config tests with.

    Args:
        cfg (Config): Config with ``test_dataloader``, or else ``val_dataloader``.

    Returns:
        list[dict]: Config of each transform, in their order.

    Raises:
        ValueError: If there is no such loader, or it has no pipeline.

    Example:
        >>> pipeline_config(Config.fromfile('configs/cc_r50_market.py'))[0]
        {'type': 'LoadReIDImage'}
    """
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader')
    pipeline = loader.dataset.get('pipeline') if loader else None
    if not pipeline:
        raise ValueError(
            'Images are prepared by `test_dataloader.dataset.pipeline` of the config '
            f'(or that of `val_dataloader`), and {cfg.filename or "it"} has none. '
            'Give the config that the checkpoint was tested with.'
        )
    return [dict(transform) for transform in pipeline]


class Preprocessing:
    """Reads and transforms an image as a config's test pipeline does.

    An array passes through the same transforms except the first, which reads a file.

    Args:
        pipeline (list[dict]): Transforms from :func:`pipeline_config`, to be built in
            the scope of the config.

    Raises:
        ValueError: If the first transform does not read an image.

    Example:
        >>> prepare = Preprocessing(pipeline_config(cfg))
        >>> prepare('0002_c1s1_000451_03.jpg')['inputs'].shape
        torch.Size([3, 256, 128])
    """

    def __init__(self, pipeline: list[dict]) -> None:
        self._load = TRANSFORMS.build(pipeline[0])
        if not isinstance(self._load, (LoadReIDImage, LoadImageFromFile)):
            raise ValueError(
                'The test pipeline must begin with LoadReIDImage or LoadImageFromFile, '
                'so that arrays can skip this step, but it begins with '
                f'{pipeline[0]["type"]}.'
            )
        self._transform = Compose([TRANSFORMS.build(step) for step in pipeline[1:]])

    def __call__(self, image: str | np.ndarray) -> dict[str, Any]:
        """Prepare one image.

        Args:
            image (str | np.ndarray): A path, or pixels (H, W, 3) uint8 in BGR order.

        Returns:
            dict[str, Any]: The result of the pipeline: ``inputs``, ``data_samples``.

        Raises:
            OSError: If the file cannot be read; it names the file.
        """
        if isinstance(image, str):
            return self._transform(self._read(image))
        size = image.shape[:2]
        return self._transform(dict(img=image, img_shape=size, ori_shape=size))

    def _read(self, path: str) -> dict[str, Any]:
        try:
            return self._load(dict(img_path=path))
        except Exception as error:  # Pillow and OpenCV raise many types
            reason = error.__cause__ or error
            raise OSError(
                f'{path} cannot be read as an image ({type(reason).__name__}: '
                f'{reason}). Repair or remove it, or leave it out.'
            ) from error
