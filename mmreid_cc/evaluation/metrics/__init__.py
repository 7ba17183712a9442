"""Metrics for the Runner."""

from .cluster_metric import ClusterMetric
from .joint_reid_metric import JointReIDMetric
from .reid_metric import ReIDMetric
from .sysu_metric import SYSUMetric

__all__ = ['ClusterMetric', 'JointReIDMetric', 'ReIDMetric', 'SYSUMetric']
