"""Samplers that draw by pseudo label, or by identity."""

from .random_identity import RandomIdentitySampler
from .random_multiple_gallery import RandomMultipleGallerySampler

__all__ = ['RandomIdentitySampler', 'RandomMultipleGallerySampler']
