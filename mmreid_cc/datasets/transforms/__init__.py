"""Transforms of images that mmpretrain and mmcv lack."""

from .channel_augmentation import ChannelAugmentation
from .loading import LoadReIDImage
from .pad_and_crop import PadAndCrop
from .random_erasing import ReIDRandomErasing

__all__ = ['ChannelAugmentation', 'LoadReIDImage', 'PadAndCrop', 'ReIDRandomErasing']
