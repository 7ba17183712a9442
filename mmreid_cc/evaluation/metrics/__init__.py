"""Metrics for the Runner."""

from .joint_reid_metric import JointReIDMetric
from .reid_metric import ReIDMetric

__all__ = ['JointReIDMetric', 'ReIDMetric']
