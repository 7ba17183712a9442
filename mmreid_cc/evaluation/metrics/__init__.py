"""Metrics for the Runner."""

# A child registry imports its own locations only: without this line mmpretrain's
# metrics would not be found by their bare names in the scope of mmreid_cc.
import mmpretrain.evaluation  # noqa: F401  (registers mmpretrain's metrics)

from .reid_metric import ReIDMetric

__all__ = ['ReIDMetric']
