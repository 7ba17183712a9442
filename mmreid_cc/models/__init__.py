"""Necks, heads and memories; backbones are mmpretrain's and a few of ours."""

from .backbones import (
    FastReIDResNet,
    FastReIDResNetIBN,
    ICSVisionTransformer,
    OSNet,
    ResNetIBN,
)
from .averages import TeacherAverage
from .classifiers import TaughtClassifier
from .heads import ClusterContrastHead, ReIDHead
from .memories import (
    BaseMemory,
    CameraProxyMemory,
    ClusterMemory,
    HybridMemory,
    InstanceMemory,
    MeanTeacherMemory,
)
from .necks import GeneralizedMeanPooling

__all__ = [
    'BaseMemory',
    'CameraProxyMemory',
    'ClusterContrastHead',
    'ClusterMemory',
    'FastReIDResNet',
    'FastReIDResNetIBN',
    'GeneralizedMeanPooling',
    'HybridMemory',
    'ICSVisionTransformer',
    'InstanceMemory',
    'MeanTeacherMemory',
    'OSNet',
    'ReIDHead',
    'ResNetIBN',
    'TaughtClassifier',
    'TeacherAverage',
]
