"""Memories: what queries are contrasted with."""

from .cluster_memory import ClusterMemory

__all__ = ['ClusterMemory']
