"""Pseudo labels from features: arrays in, arrays out."""

from .base import CLUSTERERS, BaseClusterer
from .centroids import cluster_centroids
from .dbscan import DBSCAN
from .infomap import InfoMap
from .jaccard import jaccard_distance
from .knn import knn
from .quality import cluster_statistics, clustering_quality

__all__ = [
    'CLUSTERERS',
    'DBSCAN',
    'BaseClusterer',
    'InfoMap',
    'cluster_centroids',
    'cluster_statistics',
    'clustering_quality',
    'jaccard_distance',
    'knn',
]
