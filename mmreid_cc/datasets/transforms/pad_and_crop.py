"""Padding and a random crop to the size that the image has."""

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform

from mmreid_cc.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PadAndCrop(BaseTransform):
    """Pad an image by black pixels on all sides, and crop it back to its size.

    The place of the crop is random. Draws and pixels are those of mmpretrain's
    ``RandomCrop``, which needs the size of the image as an argument.

    Args:
        padding (int): Pixels on each side. Defaults to 10.

    Raises:
        ValueError: If ``padding`` is not positive.

    Examples:
        .. code:: python

            train_pipeline = [..., dict(type='PadAndCrop', padding=10), ...]
    """

    def __init__(self, padding: int = 10) -> None:
        if padding < 1:
            raise ValueError(f'PadAndCrop: padding must be positive, not {padding}')
        self.padding = padding

    def random_offset(self) -> tuple[int, int]:
        """Draw the place of a crop.

        Returns:
            tuple[int, int]: Top and left in the padded image.
        """
        count = 2 * self.padding + 1
        return np.random.randint(count), np.random.randint(count)

    def transform(self, results: dict) -> dict:
        """Pad and crop ``results['img']``, of shape (H, W, 3)."""
        height, width = results['img'].shape[:2]
        padded = mmcv.impad(results['img'], padding=self.padding)
        top, left = self.random_offset()
        results['img'] = padded[top : top + height, left : left + width]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(padding={self.padding})'
