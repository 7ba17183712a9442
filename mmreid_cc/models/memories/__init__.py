"""Memories, which hold the vectors that queries are contrasted with."""

from .aggregated_memory import AggregatedMemory
from .base_memory import BaseMemory
from .camera_proxy_memory import CameraProxyMemory
from .cluster_memory import ClusterMemory
from .extended_memory import ExtendedMemory
from .graph_matched_memory import GraphMatchedMemory
from .hybrid_memory import HybridMemory
from .instance_memory import InstanceMemory
from .inter_instance_memory import InterInstanceMemory
from .mean_teacher_memory import MeanTeacherMemory
from .modality_memory import ModalityMemory
from .mutual_memory import MutualMemory
from .part_memory import PartMemory
from .taught_memory import TaughtMemory
from .vector_bank import VectorBank

__all__ = [
    'AggregatedMemory',
    'BaseMemory',
    'CameraProxyMemory',
    'ClusterMemory',
    'ExtendedMemory',
    'GraphMatchedMemory',
    'HybridMemory',
    'InstanceMemory',
    'InterInstanceMemory',
    'MeanTeacherMemory',
    'ModalityMemory',
    'MutualMemory',
    'PartMemory',
    'TaughtMemory',
    'VectorBank',
]
