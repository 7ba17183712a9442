"""Pictures of a run: rank lists, clusters, curves and others; pages that hold them.

Each picture is a function of arrays that returns a matplotlib figure.
"""

from .cameras import has_cameras
from .cluster_sheet import cluster_sheet
from .clustered_images import ClusteredImages
from .cmc import cmc_and_precision
from .curves import comparison_figure, curve_figure, read_scalars
from .embedded_images import EmbeddedImages
from .embedding_map import embedding_map, project
from .figures import figure_pixels, save_figure
from .grad_cam import SimilarityMaps, grad_cam_figure, similarity_maps
from .html_page import HTMLPage
from .rank_lists import RankList, choose_queries, rank_list_sheet, rank_lists
from .similarity_histogram import similarity_histogram

__all__ = [
    'ClusteredImages',
    'EmbeddedImages',
    'HTMLPage',
    'RankList',
    'SimilarityMaps',
    'choose_queries',
    'cluster_sheet',
    'cmc_and_precision',
    'comparison_figure',
    'curve_figure',
    'embedding_map',
    'figure_pixels',
    'grad_cam_figure',
    'has_cameras',
    'project',
    'rank_list_sheet',
    'rank_lists',
    'read_scalars',
    'save_figure',
    'similarity_histogram',
    'similarity_maps',
]
