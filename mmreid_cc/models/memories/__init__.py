"""Memories: what queries are contrasted with."""

from .base_memory import BaseMemory
from .camera_proxy_memory import CameraProxyMemory
from .cluster_memory import ClusterMemory
from .instance_memory import InstanceMemory
from .vector_bank import VectorBank

__all__ = [
    'BaseMemory',
    'CameraProxyMemory',
    'ClusterMemory',
    'InstanceMemory',
    'VectorBank',
]
