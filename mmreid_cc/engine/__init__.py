"""What happens around the iterations: extraction of features, hooks."""

from .extraction import extract_features
from .hooks import ClusterMemoryHook, InitialValidationHook

__all__ = ['ClusterMemoryHook', 'InitialValidationHook', 'extract_features']
