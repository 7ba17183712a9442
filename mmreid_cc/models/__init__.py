"""Necks, heads, memories, teachers; backbones are mmpretrain's and a few of ours."""

from .. import registry  # noqa: F401  imports mmpretrain without its notices
from .averages import TeacherAverage
from .backbones import (
    FastReIDResNet,
    FastReIDResNetIBN,
    ICSVisionTransformer,
    OSNet,
    PASSVisionTransformer,
    PooledTIMMBackbone,
    ResNetIBN,
    SOLIDERSwin,
    Twins,
)
from .classifiers import MultiViewClassifier, MutualClassifier, TaughtClassifier
from .heads import ClusterContrastHead, ReIDHead
from .memories import (
    AggregatedMemory,
    BaseMemory,
    CameraProxyMemory,
    ClusterMemory,
    ExtendedMemory,
    GraphMatchedMemory,
    HybridMemory,
    InstanceMemory,
    InterInstanceMemory,
    MeanTeacherMemory,
    ModalityMemory,
    MutualMemory,
    PartMemory,
    TaughtMemory,
)
from .necks import GeneralizedMeanPooling, PartPooling

__all__ = [
    'AggregatedMemory',
    'BaseMemory',
    'CameraProxyMemory',
    'ClusterContrastHead',
    'ClusterMemory',
    'ExtendedMemory',
    'FastReIDResNet',
    'FastReIDResNetIBN',
    'GeneralizedMeanPooling',
    'GraphMatchedMemory',
    'HybridMemory',
    'ICSVisionTransformer',
    'InstanceMemory',
    'InterInstanceMemory',
    'MeanTeacherMemory',
    'ModalityMemory',
    'MultiViewClassifier',
    'MutualClassifier',
    'MutualMemory',
    'OSNet',
    'PASSVisionTransformer',
    'PartMemory',
    'PartPooling',
    'PooledTIMMBackbone',
    'ReIDHead',
    'ResNetIBN',
    'SOLIDERSwin',
    'TaughtClassifier',
    'TaughtMemory',
    'TeacherAverage',
    'Twins',
]
