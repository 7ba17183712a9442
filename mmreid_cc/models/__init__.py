"""Heads and memories; backbones and necks are mmpretrain's."""

# A child registry imports its own modules only: mmpretrain's models are found under
# their bare names because they are imported here.
import mmpretrain.models  # noqa: F401

from .heads import ClusterContrastHead
from .memories import ClusterMemory

__all__ = ['ClusterContrastHead', 'ClusterMemory']
