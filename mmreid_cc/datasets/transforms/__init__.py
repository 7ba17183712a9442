"""Transforms of images that mmpretrain and mmcv lack."""

from .loading import LoadReIDImage
from .random_erasing import ReIDRandomErasing

__all__ = ['LoadReIDImage', 'ReIDRandomErasing']
