"""Hooks, extraction of features, and everything else around the iterations."""

import torch
from mmengine.utils import digit_version

from .extraction import extract_features
from .hooks import (
    AtomicCheckpointHook,
    BatchNormGroupsHook,
    ClusterMemoryHook,
    CompileBackboneHook,
    ComputationHook,
    DeviceAugmentationHook,
    ImageCacheHook,
    InitialValidationHook,
    InvalidLossHook,
    IterSeedHook,
    RunAheadHook,
    StepSlotsHook,
    TeacherHook,
    WeightCheckHook,
)
from .optim_wrappers import BFloat16OptimWrapper
from .safe_loading import allowed_globals

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'BatchNormGroupsHook',
    'ClusterMemoryHook',
    'CompileBackboneHook',
    'ComputationHook',
    'DeviceAugmentationHook',
    'ImageCacheHook',
    'InitialValidationHook',
    'InvalidLossHook',
    'IterSeedHook',
    'RunAheadHook',
    'StepSlotsHook',
    'TeacherHook',
    'WeightCheckHook',
    'extract_features',
]

if digit_version(torch.__version__) >= digit_version('2.6'):
    # The classic MMEngine cannot read the history of the log in its own checkpoints.
    torch.serialization.add_safe_globals(allowed_globals())
