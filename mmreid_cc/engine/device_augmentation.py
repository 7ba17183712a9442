"""Flip, crop and erasing of a whole batch on the device, by draws for each image."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.transforms import BaseTransform, RandomFlip
from torch import Tensor

from mmreid_cc.datasets.transforms import PadAndCrop, ReIDRandomErasing

DRAWS = 'augmentation'  # the field of a sample: flip, crop (2), rectangle (4)


class DrawAugmentation(BaseTransform):
    """Draw the random numbers of transforms without changing the image.

    Args:
        flip (RandomFlip): A horizontal flip.
        crop (PadAndCrop): Padding, and the crop that follows it.
        erasing (ReIDRandomErasing): The erasing, which follows the crop.

    Raises:
        ValueError: If the flip is not a horizontal one.
    """

    def __init__(
        self, flip: RandomFlip, crop: PadAndCrop, erasing: ReIDRandomErasing
    ) -> None:
        if flip.direction != 'horizontal':
            raise ValueError(
                f'RandomFlip flips {flip.direction}, not horizontally only'
            )
        self.flip, self.crop, self.erasing = flip, crop, erasing

    def transform(self, results: dict) -> dict:
        """Add the draws for ``results['img']``, of shape (H, W, 3)."""
        height, width = results['img'].shape[:2]
        flip = self.flip._choose_direction() is not None
        top, left = self.crop.random_offset()
        rectangle = 0, 0, 0, 0
        if np.random.uniform() < self.erasing.prob:
            rectangle = self.erasing.random_rectangle(height, width)
        results[DRAWS] = (int(flip), top, left, *rectangle)
        return results

    def augment(self, images: Tensor, draws: Tensor) -> Tensor:
        """Augment a batch by the draws for each of its images.

        Args:
            images (Tensor): Shape (B, 3, H, W), uint8, on any device.
            draws (Tensor): Shape (B, 7), int64, on the same device.

        Returns:
            Tensor: Shape (B, 3, H, W), uint8.
        """
        height, width = images.shape[2:]
        flip, top, left, *box = (column[:, None] for column in draws.unbind(1))
        rows = torch.arange(height, device=images.device) + top
        columns = torch.arange(width, device=images.device) + left
        # Flipping and cropping move columns; one gather does both.
        last = width - 1 + 2 * self.crop.padding
        sources = torch.where(flip.bool(), last - columns, columns)
        padded = F.pad(images, [self.crop.padding] * 4)
        batch = torch.arange(len(images), device=images.device)[:, None, None]
        cropped = padded[batch, :, rows[:, :, None], sources[:, None, :]]
        y, x = rows - top, columns - left
        high = (y >= box[0]) & (y < box[0] + box[2])
        wide = (x >= box[1]) & (x < box[1] + box[3])
        erased = (high[:, :, None] & wide[:, None, :]).unsqueeze(-1)
        color = torch.tensor(self.erasing.fill_color, dtype=images.dtype)
        color = color.to(images.device, non_blocking=True)
        augmented = torch.where(erased, color, cropped).permute(0, 3, 1, 2)
        return augmented.contiguous()  # laid out as those of the pipeline


def draw_only(transforms: list[Any]) -> DrawAugmentation:
    """Make a pipeline draw flip, crop and erasing without applying them.

    Args:
        transforms (list): Transforms of a pipeline, changed in place: ``RandomFlip``,
            ``PadAndCrop`` and ``ReIDRandomErasing`` in a row, then ``PackInputs``.

    Returns:
        DrawAugmentation: An augmentation that applies them to a batch.

    Raises:
        ValueError: If the pipeline is another one.
    """
    kinds = [type(transform).__name__ for transform in transforms]
    if kinds[-4:] != ['RandomFlip', 'PadAndCrop', 'ReIDRandomErasing', 'PackInputs']:
        raise ValueError(
            'DeviceAugmentationHook takes over RandomFlip, PadAndCrop and '
            'ReIDRandomErasing, in this order, just before PackInputs. The pipeline of '
            f'`train_dataloader.dataset` is {kinds}: change it, or remove the hook.'
        )
    draw = DrawAugmentation(*transforms[-4:-1])
    transforms[-4:-1] = [draw]
    transforms[-1].meta_keys = (*transforms[-1].meta_keys, DRAWS)
    return draw
