"""What happens around the iterations: extraction of features, hooks."""

# A child registry imports its own modules only: mmpretrain's hooks and optimizers are
# found under their bare names because they are imported here.
import mmpretrain.engine  # noqa: F401

from .extraction import extract_features
from .hooks import ClusterMemoryHook, InitialValidationHook

__all__ = ['ClusterMemoryHook', 'InitialValidationHook', 'extract_features']
