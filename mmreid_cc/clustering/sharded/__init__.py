"""Clustering of features that lie in files, task by task: DBSCAN past one machine."""

from .driver import cluster_files
from .ray_tasks import RayTasks
from .tasks import Tasks

__all__ = ['RayTasks', 'Tasks', 'cluster_files']
