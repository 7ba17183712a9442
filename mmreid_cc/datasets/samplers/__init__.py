"""Samplers that draw by pseudo label or by identity."""

from .hybrid import HybridSampler
from .proxy_balanced import ProxyBalancedSampler
from .random_identity import RandomIdentitySampler
from .random_multiple_gallery import RandomMultipleGallerySampler

__all__ = [
    'HybridSampler',
    'ProxyBalancedSampler',
    'RandomIdentitySampler',
    'RandomMultipleGallerySampler',
]
