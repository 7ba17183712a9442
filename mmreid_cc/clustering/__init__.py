"""Pseudo labels from features: arrays in, arrays out."""

from .agglomerative import Agglomerative
from .auto_agglomerative import AutoAgglomerative
from .auto_dbscan import AutoDBSCAN
from .base import CLUSTERERS, BaseClusterer, arguments_taken, takes_cameras
from .by_camera import ByCamera
from .by_modality import ByModality
from .camera_jaccard import CameraSizes, camera_jaccard_distance
from .camera_links import CameraLinks
from .camera_matching import CameraMatching
from .camera_normalization import normalize_cameras
from .centroids import cluster_centroids
from .consensus import consensus
from .constrained_linkage import join_groups
from .dbscan import DBSCAN
from .error_rates import ErrorRates
from .hdbscan import HDBSCAN
from .infomap import InfoMap
from .jaccard import jaccard_distance
from .jaccard_clusterer import JaccardClusterer
from .kmeans import KMeans
from .knn import knn
from .modalities import infrared_images, match_by_count, match_progressively
from .mutual_neighbors import MutualNeighbors
from .neighbor_clusterer import NeighborClusterer
from .quality import cluster_statistics, clustering_quality, pair_f1
from .same_time import separate_overlapping
from .search_recall import neighbor_recall
from .search_sharing import Share
from .self_paced_dbscan import SelfPacedDBSCAN
from .setting_chooser import estimated_people
from .silhouette import centroid_silhouette, cross_silhouette, label_silhouette
from .standard_scores import StandardScores
from .track_pooling import pool_tracks
from .track_splitting import split_tracks
from .track_whitening import whiten_tracks
from .tracklets import Tracklets
from .wrapping_clusterer import WrappingClusterer

__all__ = [
    'CLUSTERERS',
    'DBSCAN',
    'HDBSCAN',
    'Agglomerative',
    'AutoAgglomerative',
    'AutoDBSCAN',
    'BaseClusterer',
    'ByCamera',
    'ByModality',
    'CameraLinks',
    'CameraMatching',
    'CameraSizes',
    'ErrorRates',
    'InfoMap',
    'JaccardClusterer',
    'KMeans',
    'MutualNeighbors',
    'NeighborClusterer',
    'SelfPacedDBSCAN',
    'Share',
    'StandardScores',
    'Tracklets',
    'WrappingClusterer',
    'arguments_taken',
    'camera_jaccard_distance',
    'centroid_silhouette',
    'cluster_centroids',
    'cluster_statistics',
    'clustering_quality',
    'consensus',
    'cross_silhouette',
    'estimated_people',
    'infrared_images',
    'jaccard_distance',
    'join_groups',
    'knn',
    'label_silhouette',
    'match_by_count',
    'match_progressively',
    'neighbor_recall',
    'normalize_cameras',
    'pair_f1',
    'pool_tracks',
    'separate_overlapping',
    'split_tracks',
    'takes_cameras',
    'whiten_tracks',
]
