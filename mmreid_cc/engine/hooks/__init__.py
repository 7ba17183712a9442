"""Hooks of the Runner."""

from .atomic_checkpoint_hook import AtomicCheckpointHook
from .batch_norm_groups_hook import BatchNormGroupsHook
from .cluster_memory_hook import ClusterMemoryHook
from .compile_backbone_hook import CompileBackboneHook
from .computation_hook import ComputationHook
from .device_augmentation_hook import DeviceAugmentationHook
from .image_cache_hook import ImageCacheHook
from .initial_validation_hook import InitialValidationHook
from .invalid_loss_hook import InvalidLossHook
from .iter_seed_hook import IterSeedHook
from .ranking_visualization_hook import RankingVisualizationHook
from .run_ahead_hook import RunAheadHook
from .step_slots_hook import StepSlotsHook
from .teacher_hook import TeacherHook
from .weight_check_hook import WeightCheckHook

__all__ = [
    'AtomicCheckpointHook',
    'BatchNormGroupsHook',
    'ClusterMemoryHook',
    'CompileBackboneHook',
    'ComputationHook',
    'DeviceAugmentationHook',
    'ImageCacheHook',
    'InitialValidationHook',
    'InvalidLossHook',
    'IterSeedHook',
    'RankingVisualizationHook',
    'RunAheadHook',
    'StepSlotsHook',
    'TeacherHook',
    'WeightCheckHook',
]
