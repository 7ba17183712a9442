"""DBSCAN of features in files, task by task, on one machine or several."""

from .driver import cluster_files
from .ray_tasks import RayTasks
from .tasks import Tasks

__all__ = ['RayTasks', 'Tasks', 'cluster_files']
