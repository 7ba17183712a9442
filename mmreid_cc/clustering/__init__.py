"""Pseudo labels from features: arrays in, arrays out."""

from .agglomerative import Agglomerative
from .auto_dbscan import AutoDBSCAN, estimated_people
from .base import CLUSTERERS, BaseClusterer
from .camera_jaccard import CameraSizes, camera_jaccard_distance
from .camera_normalization import normalize_cameras
from .centroids import cluster_centroids
from .dbscan import DBSCAN
from .hdbscan import HDBSCAN
from .infomap import InfoMap
from .jaccard import jaccard_distance
from .jaccard_clusterer import JaccardClusterer
from .kmeans import KMeans
from .knn import knn
from .mutual_neighbors import MutualNeighbors, mutual_links
from .neighbor_clusterer import NeighborClusterer
from .quality import cluster_statistics, clustering_quality, pair_f1
from .same_time import separate_overlapping
from .search_recall import neighbor_recall
from .search_sharing import Share
from .silhouette import centroid_silhouette, cross_silhouette, label_silhouette
from .track_pooling import pool_tracks
from .track_splitting import split_tracks
from .tracklets import Tracklets

__all__ = [
    'CLUSTERERS',
    'DBSCAN',
    'HDBSCAN',
    'Agglomerative',
    'AutoDBSCAN',
    'BaseClusterer',
    'CameraSizes',
    'InfoMap',
    'JaccardClusterer',
    'KMeans',
    'MutualNeighbors',
    'NeighborClusterer',
    'Share',
    'Tracklets',
    'camera_jaccard_distance',
    'centroid_silhouette',
    'cluster_centroids',
    'cluster_statistics',
    'clustering_quality',
    'cross_silhouette',
    'estimated_people',
    'jaccard_distance',
    'knn',
    'label_silhouette',
    'mutual_links',
    'neighbor_recall',
    'normalize_cameras',
    'pair_f1',
    'pool_tracks',
    'separate_overlapping',
    'split_tracks',
]
