"""Heads, which turn features into embeddings and losses."""

from .bn_neck_head import BNNeckHead
from .cluster_contrast_head import ClusterContrastHead
from .reid_head import ReIDHead

__all__ = ['BNNeckHead', 'ClusterContrastHead', 'ReIDHead']
