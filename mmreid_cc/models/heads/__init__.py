"""Heads: from features to embeddings and losses."""

from .cluster_contrast_head import ClusterContrastHead

__all__ = ['ClusterContrastHead']
