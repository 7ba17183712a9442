"""Memories: what queries are contrasted with."""

from .base_memory import BaseMemory
from .camera_proxy_memory import CameraProxyMemory
from .cluster_memory import ClusterMemory
from .hybrid_memory import HybridMemory
from .instance_memory import InstanceMemory
from .mean_teacher_memory import MeanTeacherMemory
from .vector_bank import VectorBank

__all__ = [
    'BaseMemory',
    'CameraProxyMemory',
    'ClusterMemory',
    'HybridMemory',
    'InstanceMemory',
    'MeanTeacherMemory',
    'VectorBank',
]
