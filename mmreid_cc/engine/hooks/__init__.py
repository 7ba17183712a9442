"""Hooks of the Runner."""

from .cluster_memory_hook import ClusterMemoryHook
from .initial_validation_hook import InitialValidationHook

__all__ = ['ClusterMemoryHook', 'InitialValidationHook']
