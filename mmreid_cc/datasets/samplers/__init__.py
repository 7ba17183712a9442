"""Samplers that draw by pseudo label or by identity."""

from .hybrid import HybridSampler
from .modality_balanced import ModalityBalancedSampler
from .proxy_balanced import ProxyBalancedSampler
from .random_identity import RandomIdentitySampler
from .random_multiple_gallery import RandomMultipleGallerySampler

__all__ = [
    'HybridSampler',
    'ModalityBalancedSampler',
    'ProxyBalancedSampler',
    'RandomIdentitySampler',
    'RandomMultipleGallerySampler',
]
