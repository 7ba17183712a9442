"""Samplers that draw by pseudo label, or by identity."""

from .hybrid import HybridSampler
from .random_identity import RandomIdentitySampler
from .random_multiple_gallery import RandomMultipleGallerySampler

__all__ = ['HybridSampler', 'RandomIdentitySampler', 'RandomMultipleGallerySampler']
