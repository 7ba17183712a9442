"""HDBSCAN on the Jaccard distance of k-reciprocal neighbourhoods."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import HDBSCAN as ScikitHDBSCAN

from .base import CLUSTERERS
from .input_checks import check_count
from .jaccard_clusterer import JaccardClusterer

_ALMOST_ZERO = 1e-6


@CLUSTERERS.register_module()
@dataclass(eq=False, repr=False)
class HDBSCAN(JaccardClusterer):
    """HDBSCAN of scikit-learn on the sparse Jaccard distance.

    It needs no threshold of the distance. If all images are one group, they stay
    un-clustered. Memory grows with the pairs that are closer than 1, which are several
    times as many as the distance itself stores. Stages: ``neighbours``, ``distance``,
    ``hdbscan``.

    Args:
        min_cluster_size (int): Smaller groups stay un-clustered, at least 2. Defaults
            to 4.
        min_samples (int): Neighbours, itself included, whose farthest gives an image
            its core distance. Defaults to 4.
        k1, k2, knn, cameras: See :class:`JaccardClusterer`.

    Raises:
        ValueError: If a parameter is out of its range.

    Source: Campello et al., Density-based clustering based on hierarchical density
    estimates, PAKDD 2013.

    Example:
        >>> clusterer = CLUSTERERS.build(dict(type='HDBSCAN', k1=4, k2=2))
        >>> clusterer.fit_predict(np.repeat(np.eye(2), 4, axis=0))
        array([0, 0, 0, 0, 1, 1, 1, 1])
    """

    min_cluster_size: int = 4
    min_samples: int = 4

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_count('min_cluster_size', self.min_cluster_size)
        if self.min_cluster_size < 2:
            raise ValueError('min_cluster_size must be at least 2, got 1.')
        check_count('min_samples', self.min_samples)
        super().__post_init__()

    def cluster_distance(self, distance: csr_array) -> np.ndarray:
        """Cluster, see :meth:`JaccardClusterer.cluster_distance`."""
        n_images = distance.shape[0]
        if n_images < max(self.min_samples, self.min_cluster_size):
            return np.full(n_images, -1)
        with self.stage('hdbscan'):
            graph = connect(distance, self.min_samples)
            scikit = ScikitHDBSCAN(
                min_cluster_size=self.min_cluster_size,
                min_samples=self.min_samples,
                metric='precomputed',
                copy=False,
            )
            return scikit.fit_predict(graph)


def connect(distance: csr_array, min_entries: int) -> csr_array:
    """Store enough of the absent pairs, which are 1 apart, for HDBSCAN to run.

    scikit-learn requires a connected graph in which every row has ``min_samples``
    entries. The added pairs have their true distance, so the spanning tree has the
    weight of that of the dense matrix; among trees of equal weight the choice is
    arbitrary.

    Args:
        distance (csr_array): (N, N) symmetric, with a full diagonal; absent is 1.
        min_entries (int): Entries that a row needs, at most N.

    Returns:
        csr_array: (N, N), symmetric; 10⁻⁶ stands for zero, which scipy's spanning tree
        takes for no edge.

    Example:
        >>> connect(csr_array(([0.0, 0.0], ([0, 1], [0, 1]))), 1).toarray()
        array([[1.e-06, 1.e+00],
               [1.e+00, 1.e-06]])
    """
    _, components = connected_components(distance, directed=False)
    _, firsts = np.unique(components, return_index=True)
    poor = np.flatnonzero(np.diff(distance.indptr) < min_entries)
    linked = np.union1d(firsts, poor)
    rows, columns = np.repeat(linked, min_entries), np.arange(min_entries)
    ones = np.ones(len(rows), dtype=distance.dtype)
    links = csr_array((ones, (rows, np.tile(columns, len(linked)))), distance.shape)
    links = links.maximum(links.T)
    stored = csr_array(
        (np.maximum(distance.data, _ALMOST_ZERO), distance.indices, distance.indptr),
        shape=distance.shape,
    )
    return stored + (links - links.multiply(stored > 0))
