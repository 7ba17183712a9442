"""Necks, heads, memories, teachers; backbones are mmpretrain's and a few of ours."""

from .. import registry  # noqa: F401  imports mmpretrain without its notices
from .averages import TeacherAverage
from .backbones import (
    FastReIDResNet,
    FastReIDResNetIBN,
    ICSVisionTransformer,
    OSNet,
    ResNetIBN,
    SOLIDERSwin,
    Twins,
)
from .classifiers import MutualClassifier, TaughtClassifier
from .heads import ClusterContrastHead, ReIDHead
from .memories import (
    BaseMemory,
    CameraProxyMemory,
    ClusterMemory,
    ExtendedMemory,
    HybridMemory,
    InstanceMemory,
    InterInstanceMemory,
    MeanTeacherMemory,
    MutualMemory,
    PartMemory,
    TaughtMemory,
)
from .necks import GeneralizedMeanPooling, PartPooling

__all__ = [
    'BaseMemory',
    'CameraProxyMemory',
    'ClusterContrastHead',
    'ClusterMemory',
    'ExtendedMemory',
    'FastReIDResNet',
    'FastReIDResNetIBN',
    'GeneralizedMeanPooling',
    'HybridMemory',
    'ICSVisionTransformer',
    'InstanceMemory',
    'InterInstanceMemory',
    'MeanTeacherMemory',
    'MutualClassifier',
    'MutualMemory',
    'OSNet',
    'PartMemory',
    'PartPooling',
    'ReIDHead',
    'ResNetIBN',
    'SOLIDERSwin',
    'TaughtClassifier',
    'TaughtMemory',
    'TeacherAverage',
    'Twins',
]
