"""Agglomerative clustering on the Jaccard distance of k-reciprocal neighbourhoods."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster
from scipy.cluster.hierarchy import linkage as hierarchy_linkage
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from .base import CLUSTERERS
from .infomap import drop_small
from .input_checks import check_count
from .jaccard_clusterer import JaccardClusterer

_LINKAGES = ('average', 'complete', 'single')


@CLUSTERERS.register_module()
@dataclass(eq=False, repr=False)
class Agglomerative(JaccardClusterer):
    """Agglomerative clustering of SciPy on the sparse Jaccard distance.

    No cluster extends over several connected components of the pairs up to the
    threshold. Each component is therefore clustered on its own, with its own dense
    matrix, and the labels are those of a dense matrix of all images. Time and memory
    grow with the square of the largest component. Stages: ``neighbours``, ``distance``,
    ``agglomerative``.

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
    """Merge clusters until the nearest two are farther apart than a threshold.

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
    return agglomerate_to(distance, [threshold], linkage)[0]


def agglomerate_to(
    distance: csr_array, thresholds: Sequence[float], linkage: str
) -> list[np.ndarray]:
    """Merge clusters up to several thresholds, by one order of merging.

    Args:
        distance (csr_array): (N, N) float32, symmetric; absent is 1.
        thresholds (Sequence[float]): T of them, in (0, 1).
        linkage (str): As in :func:`agglomerate`.

    Returns:
        list[np.ndarray]: As :func:`agglomerate` returns it, for each threshold.

    Example:
        >>> distance = csr_array(np.float32([[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]))
        >>> agglomerate_to(distance, [0.6, 0.4], 'average')
        [array([0, 0, 1]), array([0, 1, 2])]
    """
    pairs = coo_array(distance)
    near = pairs.data <= max(thresholds)
    graph = coo_array(
        (pairs.data[near], (pairs.row[near], pairs.col[near])), shape=distance.shape
    )
    _, components = connected_components(graph, directed=False)
    order = np.argsort(components, kind='stable')
    groups = np.split(order, np.cumsum(np.bincount(components))[:-1])
    labels = [np.empty(len(components), dtype=np.int64) for _ in thresholds]
    n_clusters = [0] * len(thresholds)
    for members in groups:
        tree = _merge(distance, members, linkage) if len(members) > 1 else None
        for i, threshold in enumerate(thresholds):
            own = np.zeros(len(members), dtype=np.int64)
            if tree is not None:
                own = fcluster(tree, threshold, criterion='distance') - 1
            labels[i][members] = n_clusters[i] + own
            n_clusters[i] += own.max() + 1
    return labels


def _merge(distance: csr_array, members: np.ndarray, linkage: str) -> np.ndarray:
    """Return the order in which a component's images merge, in SciPy's format."""
    pairs = distance[members][:, members].tocoo()
    upper = pairs.row < pairs.col
    row, column = pairs.row[upper].astype(np.int64), pairs.col[upper]
    count = len(members)
    condensed = np.ones(count * (count - 1) // 2)  # as scipy.spatial.distance.pdist
    condensed[row * (2 * count - row - 3) // 2 + column - 1] = pairs.data[upper]
    return hierarchy_linkage(condensed, method=linkage)
