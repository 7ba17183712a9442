"""Necks, heads and memories; backbones are mmpretrain's and a few of ours."""

from .backbones import (
    FastReIDResNet,
    FastReIDResNetIBN,
    ICSVisionTransformer,
    OSNet,
    ResNetIBN,
)
from .heads import ClusterContrastHead
from .memories import ClusterMemory
from .necks import GeneralizedMeanPooling

__all__ = [
    'ClusterContrastHead',
    'ClusterMemory',
    'FastReIDResNet',
    'FastReIDResNetIBN',
    'GeneralizedMeanPooling',
    'ICSVisionTransformer',
    'OSNet',
    'ResNetIBN',
]
