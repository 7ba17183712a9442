"""Losses of batches with identities."""

from .batch_hard_triplet import batch_hard_triplet_loss
from .gathering import gather_with_gradient
from .soft_triplet import soft_triplet_loss

__all__ = ['batch_hard_triplet_loss', 'gather_with_gradient', 'soft_triplet_loss']
