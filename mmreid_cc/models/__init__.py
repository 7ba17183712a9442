"""Necks, heads and memories; backbones are mmpretrain's."""

from .heads import ClusterContrastHead
from .memories import ClusterMemory
from .necks import GeneralizedMeanPooling

__all__ = ['ClusterContrastHead', 'ClusterMemory', 'GeneralizedMeanPooling']
