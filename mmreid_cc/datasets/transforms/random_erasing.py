"""Random erasing, as re-identification uses it."""

import math
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from mmreid_cc.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ReIDRandomErasing(BaseTransform):
    """Paint over a random rectangle of the image with one colour.

    The area is uniform in ``area_range`` and the aspect (height / width) uniform in
    ``aspect_range``; rectangles that do not fit are drawn again, up to 100 times, after
    which the image is left as it is. This is the distribution of Zhong et al. (*Random
    Erasing Data Augmentation*, AAAI 2020) as public re-ID code has it;
    ``mmpretrain.RandomErasing`` draws the logarithm of the aspect and clamps.

    Args:
        prob (float): Share of images that are erased, in [0, 1]. Defaults to 0.5.
        area_range (Sequence[float]): Range of the share of the image, in (0, 1).
            Defaults to (0.02, 0.4).
        aspect_range (Sequence[float]): Range of height / width. Defaults to (0.3, 1 /
            0.3).
        fill_color (Sequence[int]): In the channel order of the image, which is BGR
            after ``LoadReIDImage``. Defaults to (127, 142, 152): what the reference
            gets by writing the RGB values 0.485, 0.456, 0.406 into the *normalised*
            image.

    Raises:
        ValueError: If ``prob`` or a range is invalid.

    Examples:
        .. code:: python

            train_pipeline = [..., dict(type='ReIDRandomErasing', prob=0.5), ...]
    """

    MAX_TRIES = 100

    def __init__(
        self,
        prob: float = 0.5,
        area_range: Sequence[float] = (0.02, 0.4),
        aspect_range: Sequence[float] = (0.3, 1 / 0.3),
        fill_color: Sequence[int] = (127, 142, 152),
    ) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'ReIDRandomErasing: prob must be in [0, 1], not {prob}')
        if not 0 < area_range[0] <= area_range[1] < 1:
            raise ValueError(
                'ReIDRandomErasing: area_range must be increasing and in (0, 1), not '
                f'{area_range}'
            )
        if not 0 < aspect_range[0] <= aspect_range[1]:
            raise ValueError(
                'ReIDRandomErasing: aspect_range must be increasing and positive, not '
                f'{aspect_range}'
            )
        self.prob = prob
        self.area_range = (area_range[0], area_range[1])
        self.aspect_range = (aspect_range[0], aspect_range[1])
        self.fill_color = tuple(fill_color)

    def random_rectangle(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Draw a rectangle that fits into an image.

        Returns:
            tuple[int, int, int, int]: Top, left, height and width; the latter are 0 if
            none of the tries fitted.
        """
        for _ in range(self.MAX_TRIES):
            area = np.random.uniform(*self.area_range) * height * width
            aspect = np.random.uniform(*self.aspect_range)
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if h < height and w < width:
                top = np.random.randint(height - h + 1)
                left = np.random.randint(width - w + 1)
                return top, left, h, w
        return 0, 0, 0, 0

    def transform(self, results: dict) -> dict:
        """Erase a rectangle of ``results['img']``, of shape (H, W, 3)."""
        if np.random.uniform() < self.prob:
            image = results['img'].copy()
            top, left, h, w = self.random_rectangle(*image.shape[:2])
            image[top : top + h, left : left + w] = self.fill_color
            results['img'] = image
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(prob={self.prob}, area_range={self.area_range}, '
            f'aspect_range={self.aspect_range}, fill_color={self.fill_color})'
        )
