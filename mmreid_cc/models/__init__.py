"""Heads and memories; backbones and necks are mmpretrain's."""

from .heads import ClusterContrastHead
from .memories import ClusterMemory

__all__ = ['ClusterContrastHead', 'ClusterMemory']
