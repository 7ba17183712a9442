"""What happens around the iterations: extraction of features, hooks."""

from .extraction import extract_features
from .hooks import (
    AtomicCheckpointHook,
    BatchNormGroupsHook,
    ClusterMemoryHook,
    InitialValidationHook,
    IterSeedHook,
)
from .optim_wrappers import BFloat16OptimWrapper

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'BatchNormGroupsHook',
    'ClusterMemoryHook',
    'InitialValidationHook',
    'IterSeedHook',
    'extract_features',
]
