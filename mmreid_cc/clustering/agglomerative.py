"""Agglomerative clustering on the Jaccard distance of k-reciprocal neighbourhoods."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import AgglomerativeClustering

from .base import CLUSTERERS
from .infomap import drop_small
from .input_checks import check_count
from .jaccard_clusterer import JaccardClusterer

_LINKAGES = ('average', 'complete', 'single')


@CLUSTERERS.register_module()
@dataclass(eq=False, repr=False)
class Agglomerative(JaccardClusterer):
    """Agglomerative clustering of scikit-learn on the sparse Jaccard distance.

    No cluster crosses the connected components of the pairs up to the threshold, so
    each component is clustered by itself, with its own dense matrix: the labels are
    those on the dense matrix of all. Time and memory grow with the square of the
    largest component. Stages: ``neighbours``, ``distance``, ``agglomerative``.

    Args:
        distance_threshold (float): Clusters farther apart are not merged, in (0, 1).
            Defaults to 0.6.
        linkage (str): The distance of two clusters is the ``'average'``, the largest
            (``'complete'``) or the smallest (``'single'``) of their pairs. Defaults to
            ``'average'``.
        min_cluster_size (int): Images of smaller clusters stay un-clustered. Defaults
            to 4.
        k1, k2, knn, cameras: See :class:`JaccardClusterer`.

    Raises:
        ValueError: If a parameter is out of its range.

    Source: Müllner, Modern hierarchical, agglomerative clustering algorithms, arXiv
    1109.2378.

    Example:
        >>> clusterer = CLUSTERERS.build(dict(type='Agglomerative', k1=4, k2=2))
        >>> clusterer.fit_predict(np.repeat(np.eye(2), 4, axis=0))
        array([0, 0, 0, 0, 1, 1, 1, 1])
    """

    distance_threshold: float = 0.6
    linkage: str = 'average'
    min_cluster_size: int = 4

    def __post_init__(self) -> None:
        """Check the parameters."""
        if not 0 < self.distance_threshold < 1:
            raise ValueError(
                'distance_threshold must lie in (0, 1), got '
                f'{self.distance_threshold!r}: the Jaccard distance is at most 1, and '
                'exactly 1 between most pairs.'
            )
        if self.linkage not in _LINKAGES:
            raise ValueError(
                f'linkage must be one of {_LINKAGES}, got {self.linkage!r}.'
            )
        check_count('min_cluster_size', self.min_cluster_size)
        super().__post_init__()

    def cluster_distance(self, distance: csr_array) -> np.ndarray:
        """Cluster, see :meth:`JaccardClusterer.cluster_distance`."""
        with self.stage('agglomerative'):
            labels = agglomerate(distance, self.distance_threshold, self.linkage)
        return drop_small(labels, self.min_cluster_size)


def agglomerate(distance: csr_array, threshold: float, linkage: str) -> np.ndarray:
    """Merge clusters until the next two are farther apart than a threshold.

    Args:
        distance (csr_array): (N, N) float32, symmetric; absent is 1.
        threshold (float): In (0, 1).
        linkage (str): ``'average'``, ``'complete'`` or ``'single'``.

    Returns:
        np.ndarray: (N,) int64, 0…C−1.

    Example:
        >>> distance = csr_array(np.float32([[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]))
        >>> agglomerate(distance, 0.6, 'average')
        array([0, 0, 1])
    """
    pairs = coo_array(distance)
    near = pairs.data <= threshold
    graph = coo_array(
        (pairs.data[near], (pairs.row[near], pairs.col[near])), shape=distance.shape
    )
    _, components = connected_components(graph, directed=False)
    order = np.argsort(components, kind='stable')
    groups = np.split(order, np.cumsum(np.bincount(components))[:-1])
    labels = np.empty(len(components), dtype=np.int64)
    n_clusters = 0
    for members in groups:
        own = _cluster_component(distance, members, threshold, linkage)
        labels[members] = n_clusters + own
        n_clusters += own.max() + 1
    return labels


def _cluster_component(
    distance: csr_array, members: np.ndarray, threshold: float, linkage: str
) -> np.ndarray:
    if len(members) == 1:
        return np.zeros(1, dtype=np.int64)
    pairs = distance[members][:, members].tocoo()
    dense = np.ones((len(members), len(members)))
    dense[pairs.row, pairs.col] = pairs.data
    np.fill_diagonal(dense, 0)
    # scikit-learn merges below its threshold; ours is the largest distance allowed.
    scikit = AgglomerativeClustering(
        n_clusters=None,
        distance_threshold=np.nextafter(threshold, 1),
        metric='precomputed',
        linkage=linkage,
    )
    return scikit.fit_predict(dense)
