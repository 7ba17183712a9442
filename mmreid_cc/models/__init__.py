"""Necks, heads and memories; backbones are mmpretrain's and a few of ours."""

from .. import registry  # noqa: F401  imports mmpretrain without its notices
from .backbones import (
    FastReIDResNet,
    FastReIDResNetIBN,
    ICSVisionTransformer,
    OSNet,
    ResNetIBN,
)
from .heads import ClusterContrastHead, ReIDHead
from .memories import BaseMemory, CameraProxyMemory, ClusterMemory, InstanceMemory
from .necks import GeneralizedMeanPooling

__all__ = [
    'BaseMemory',
    'CameraProxyMemory',
    'ClusterContrastHead',
    'ClusterMemory',
    'FastReIDResNet',
    'FastReIDResNetIBN',
    'GeneralizedMeanPooling',
    'ICSVisionTransformer',
    'InstanceMemory',
    'OSNet',
    'ReIDHead',
    'ResNetIBN',
]
