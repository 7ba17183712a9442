"""DBSCAN on the Jaccard distance of k-reciprocal neighbourhoods."""

import logging
from dataclasses import dataclass

import numpy as np
from mmengine.logging import print_log
from scipy.sparse import csr_array

from .base import CLUSTERERS
from .compiled_kernels import kernel
from .input_checks import check_count
from .jaccard import distinct_jaccard_distance
from .jaccard_clusterer import JaccardClusterer

_TIE = 1e-6  # rounding moves a tied distance by less than this


@CLUSTERERS.register_module()
@dataclass(eq=False, repr=False)
class DBSCAN(JaccardClusterer):
    """DBSCAN on the Jaccard distance of k-reciprocal neighbourhoods.

    The labels are those of ``sklearn.cluster.DBSCAN`` on the same distances. The
    defaults are the paper's. Stages: ``neighbours``, ``distance``, ``dbscan``.

    Args:
        eps (float): Largest distance of two neighbours, in (0, 1). Defaults to 0.6.
        min_samples (int): Neighbours, itself included, that make an image a core
            point. Defaults to 4.
        k1, k2, knn, cameras: See :class:`JaccardClusterer`.

    Raises:
        ValueError: If a parameter is out of its range.

    Source: Ester et al., A Density-Based Algorithm for Discovering Clusters, KDD 1996;
    parameters from Dai et al., Cluster Contrast (arXiv 2103.11568).

    Example:
        >>> clusterer = CLUSTERERS.build(dict(type='DBSCAN', eps=0.6, k1=4, k2=2))
        >>> clusterer.fit_predict(np.repeat(np.eye(2), 4, axis=0))
        array([0, 0, 0, 0, 1, 1, 1, 1])
    """

    eps: float = 0.6
    min_samples: int = 4

    def __post_init__(self) -> None:
        """Check the parameters, and warn of a threshold that many pairs meet."""
        if not 0 < self.eps < 1:
            raise ValueError(
                f'eps must lie in (0, 1), got {self.eps!r}: the Jaccard distance is at '
                'most 1, and exactly 1 between most pairs.'
            )
        check_count('min_samples', self.min_samples)
        super().__post_init__()
        self.max_distance = self.eps
        k2 = self.k2
        if self.cameras is not None:
            k2 = self.cameras.k2_intra + self.cameras.k2_inter
        if is_tied(self.eps, k2):
            print_log(
                f'DBSCAN: with k2={k2} many pairs are exactly eps={self.eps} apart, '
                'and rounding decides which of them are neighbours. Move eps by 0.01 '
                'for labels that do not depend on the last bit.',
                logger='current',
                level=logging.WARNING,
            )

    def cluster_neighbors(
        self, features: np.ndarray, neighbors: np.ndarray, similarities: np.ndarray
    ) -> np.ndarray:
        """Cluster, see :meth:`NeighborClusterer.cluster_neighbors`."""
        with self.stage('distance'):
            distance, copies = distinct_jaccard_distance(
                features,
                self.k1,
                self.k2,
                neighbors=neighbors,
                max_distance=self.max_distance,
            )
        with self.stage('dbscan'):
            counts = np.bincount(copies)
            return dbscan(distance, self.min_samples, counts=counts)[copies]

    def cluster_distance(self, distance: csr_array) -> np.ndarray:
        """Cluster, see :meth:`JaccardClusterer.cluster_distance`."""
        with self.stage('dbscan'):
            return dbscan(distance, self.min_samples)


def is_tied(eps: float, k2: int) -> bool:
    """Return whether many pairs are exactly eps apart.

    Pairs whose k2 averaged rows have j in common, and nothing else, share m = j / k2
    and are 1 − m / (2 − m) apart: at k2 = 6 for example 0.5 (j = 4).

    Args:
        eps (float): Threshold of the distance.
        k2 (int): Number of rows averaged.

    Returns:
        bool: Whether eps is within rounding of such a value.

    Example:
        >>> is_tied(0.5, k2=6), is_tied(0.6, k2=6)
        (True, False)
    """
    shared = np.arange(1, k2) / k2
    return bool((np.abs(1 - shared / (2 - shared) - eps) < _TIE).any())


def dbscan(
    distance: csr_array,
    min_samples: int,
    max_distance: float = 1.0,
    counts: np.ndarray | None = None,
) -> np.ndarray:
    """Find the clusters of DBSCAN in a graph of neighbours, in two passes over it.

    Core points have min_samples neighbours; clusters are the connected components of
    the core points, numbered by their first one; a border point joins the first of
    the clusters that it neighbours. These are scikit-learn's labels.

    Args:
        distance (csr_array): (N, N), symmetric, of non-negative values; two images are
            neighbours where an entry is stored and at most ``max_distance``. Every
            image is a neighbour of itself.
        min_samples (int): Neighbours, itself included, that make a core point.
        max_distance (float): DBSCAN's eps. Defaults to 1.0, every Jaccard distance.
        counts (np.ndarray | None): (N,) integers, for how many copies each image
            stands. Defaults to None, each for itself.

    Returns:
        np.ndarray: (N,) int64, −1 un-clustered, else 0…C−1.

    Example:
        >>> distance = csr_array(np.array([[0.1, 0.4, 0], [0.4, 0.1, 0], [0, 0, 0.1]]))
        >>> dbscan(distance, min_samples=2)
        array([ 0,  0, -1])
    """
    eps = np.float32(max_distance)  # as the distances, for ties
    graph = distance.indptr, distance.indices, distance.data
    rows = np.arange(len(distance.indptr) - 1)
    counts = np.ones(len(rows)) if counts is None else counts
    counts = counts.astype(np.int32)
    core = core_points(*graph, counts, eps, min_samples)
    parents = np.arange(len(rows), dtype=np.int32)
    connect(rows, *graph, eps, core, parents)
    labels = number_components(core, parents)
    join_borders(rows, *graph, eps, core, labels)
    return labels


@kernel
def core_points(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    counts: np.ndarray,
    eps: float,
    min_samples: int,
) -> np.ndarray:
    """Tell which of some rows have enough neighbours.

    Args:
        indptr (np.ndarray): (R + 1,) integers, their rows of the symmetric distance:
        indices (np.ndarray): (L,) integers in 0…N − 1, the neighbours,
        data (np.ndarray): (L,) float32, and their distances.
        counts (np.ndarray): (N,) integers, for how many neighbours each stands.
        eps (float): Largest distance of two neighbours.
        min_samples (int): Neighbours that make a core point.

    Returns:
        np.ndarray: (R,) bool.

    Example:
        >>> graph = np.array([0, 2, 3]), np.array([0, 1, 1]), np.zeros(3, np.float32)
        >>> core_points(*graph, np.ones(2, np.int32), 0.5, 2)
        array([ True, False])
    """
    core = np.zeros(len(indptr) - 1, dtype=np.bool_)
    for i in range(len(core)):
        degree = 0
        for p in range(indptr[i], indptr[i + 1]):
            if data[p] <= eps:
                degree += counts[indices[p]]
        core[i] = degree >= min_samples
    return core


@kernel
def connect(
    rows: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    eps: float,
    core: np.ndarray,
    parents: np.ndarray,
) -> None:
    """Join the trees of core points that are neighbours.

    Args:
        rows (np.ndarray): (R,) integers in 0…N − 1, whose neighbours are given.
        indptr (np.ndarray): (R + 1,) integers, their rows of the symmetric distance:
        indices (np.ndarray): (L,) integers in 0…N − 1, the neighbours,
        data (np.ndarray): (L,) float32, and their distances.
        eps (float): Largest distance of two neighbours.
        core (np.ndarray): (N,) bool.
        parents (np.ndarray): (N,) int32, the forest, changed in place: each points to
            one of its tree that stands before it, the root, the first one, to itself.

    Example:
        >>> connect(rows, *graph, eps, core, parents)
    """
    for r in range(len(rows)):
        i = rows[r]
        if core[i]:
            for p in range(indptr[r], indptr[r + 1]):
                j = indices[p]
                if j < i and core[j] and data[p] <= eps:
                    _join(parents, i, j)


@kernel
def number_components(core: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Number the trees by their roots.

    Args:
        core (np.ndarray): (N,) bool.
        parents (np.ndarray): (N,) int32, the forest of :func:`connect`.

    Returns:
        np.ndarray: (N,) int64, −1 where no core point is.

    Example:
        >>> number_components(np.array([True, False, True]), np.array([0, 1, 0]))
        array([ 0, -1,  0])
    """
    labels = np.full(len(core), -1, dtype=np.int64)
    n_clusters = 0
    for i in range(len(core)):
        if core[i]:
            root = _root(parents, i)
            if root == i:
                labels[i] = n_clusters
                n_clusters += 1
            else:
                labels[i] = labels[root]
    return labels


@kernel
def join_borders(
    rows: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    eps: float,
    core: np.ndarray,
    labels: np.ndarray,
) -> None:
    """Let border points join the first of the clusters that they neighbour.

    Args:
        rows (np.ndarray): (R,) integers in 0…N − 1, whose neighbours are given.
        indptr (np.ndarray): (R + 1,) integers, their rows of the symmetric distance:
        indices (np.ndarray): (L,) integers in 0…N − 1, the neighbours,
        data (np.ndarray): (L,) float32, and their distances.
        eps (float): Largest distance of two neighbours.
        core (np.ndarray): (N,) bool.
        labels (np.ndarray): (N,) int64, changed in place.

    Example:
        >>> join_borders(rows, *graph, eps, core, labels)
    """
    for r in range(len(rows)):
        i = rows[r]
        if not core[i]:
            for p in range(indptr[r], indptr[r + 1]):
                j = indices[p]
                if core[j] and data[p] <= eps and not 0 <= labels[i] <= labels[j]:
                    labels[i] = labels[j]


@kernel
def _root(parents: np.ndarray, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@kernel
def _join(parents: np.ndarray, i: int, j: int) -> None:
    first, second = _root(parents, i), _root(parents, j)
    if first < second:
        parents[second] = first
    else:
        parents[first] = second
