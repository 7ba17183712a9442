"""Samplers that draw by pseudo label."""

from .random_multiple_gallery import RandomMultipleGallerySampler

__all__ = ['RandomMultipleGallerySampler']
