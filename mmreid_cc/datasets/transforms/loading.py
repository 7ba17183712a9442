"""The reading of images, with errors that name the file."""

from io import BytesIO

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.fileio import get

from mmreid_cc.registry import TRANSFORMS

from ..decoding import decode_image


@TRANSFORMS.register_module()
class LoadReIDImage(BaseTransform):
    """Read an image by Pillow, as the reference does, in colour and upright by EXIF.

    Adds ``img`` (H, W, 3) uint8 in BGR order, ``img_shape`` and ``ori_shape`` to a dict
    with ``img_path``. Other than 8-bit RGB images are converted as
    :func:`~mmreid_cc.datasets.decoding.decode_image` says.

    Args:
        backend_args (dict, optional): File backend of MMEngine, e.g.
            ``dict(backend='petrel')``. Defaults to None: chosen by the path.

    Raises:
        OSError: If the file is missing or no readable image; it names the file.

    Examples:
        >>> from mmreid_cc.datasets import LoadReIDImage
        >>> LoadReIDImage()(dict(img_path='0002_c1s1_000451_03.jpg'))['img_shape']
        (128, 64)

        In a config:

        .. code:: python

            train_pipeline = [dict(type='LoadReIDImage'), ...]
    """

    def __init__(self, backend_args: dict | None = None) -> None:
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Read ``results['img_path']``."""
        path = results['img_path']
        try:
            image = decode_image(BytesIO(get(path, backend_args=self.backend_args)))
        except Exception as error:  # Pillow raises many types on broken files
            raise OSError(
                f'{path} cannot be read as an image ({type(error).__name__}: {error}). '
                'Repair or remove it, or set `skip_unreadable=True` in the config of '
                'the data set.'
            ) from error
        results['img'] = np.array(image)[:, :, ::-1]  # RGB to BGR
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(backend_args={self.backend_args})'
