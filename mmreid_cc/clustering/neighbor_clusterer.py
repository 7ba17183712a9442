"""The base class of the algorithms on nearest neighbours: it does the search."""

from abc import abstractmethod
from typing import Any

import numpy as np

from .base import BaseClusterer
from .input_checks import (
    as_features,
    as_neighbors,
    check_count,
    check_normalized,
    to_numpy,
)
from .knn import check_method, knn


class NeighborClusterer(BaseClusterer):
    """Base class of the algorithms that start from lists of nearest neighbours.

    A subclass implements :meth:`cluster_neighbors`. The stage ``neighbours`` is
    measured here.

    Args:
        n_neighbors (int): Length of the lists, the image itself included.
        knn (dict | None): How neighbours are searched, the arguments ``method`` and
            ``n_components`` of :func:`mmreid_cc.clustering.knn`, e.g.
            ``dict(method='ivf')``. Defaults to None, as that function does by itself.

    Attributes:
        n_neighbors (int): As given.
        knn (dict): As given, for those who search by themselves and hand the result to
            :meth:`fit_predict`.

    Raises:
        ValueError: If a parameter is not allowed.

    Example:
        >>> class Pairs(NeighborClusterer):
        ...     def cluster_neighbors(self, features, neighbors, similarities):
        ...         return neighbors.min(axis=1)
        >>> Pairs(n_neighbors=2).fit_predict(np.repeat(np.eye(2), 2, axis=0))
        array([0, 0, 1, 1])
    """

    def __init__(self, n_neighbors: int, knn: dict[str, Any] | None = None) -> None:
        self.n_neighbors = n_neighbors
        self.knn = dict(knn or {})
        unknown = set(self.knn) - {'method', 'n_components'}
        if unknown:
            raise ValueError(
                "knn may set 'method' and 'n_components', got also "
                f'{", ".join(map(repr, sorted(unknown)))}.'
            )
        check_method(self.knn.get('method', 'auto'))
        if self.knn.get('n_components') is not None:
            check_count('n_components', self.knn['n_components'])

    @abstractmethod
    def cluster_neighbors(
        self, features: np.ndarray, neighbors: np.ndarray, similarities: np.ndarray
    ) -> np.ndarray:
        """Cluster features whose neighbours are known.

        Args:
            features (np.ndarray): (N, D) float32, C-contiguous, finite, normalised.
            neighbors (np.ndarray): (N, min(n_neighbors, N)) integers, as
                :func:`mmreid_cc.clustering.knn` returns them.
            similarities (np.ndarray): The same shape, float32.

        Returns:
            np.ndarray: (N,) integers, see :meth:`BaseClusterer.cluster`.
        """

    def cluster(self, features: np.ndarray) -> np.ndarray:
        """Cluster features, see :meth:`BaseClusterer.cluster`."""
        check_normalized(features)
        with self.stage('neighbours'):
            neighbors, similarities = knn(features, self.n_neighbors, **self.knn)
        return self.cluster_neighbors(features, neighbors, similarities)

    def fit_predict(
        self, features: Any, neighbors: tuple[Any, Any] | None = None
    ) -> np.ndarray:
        """Cluster features.

        Args:
            features (array): (N, D) floating, N ≥ 1, rows L2-normalised.
            neighbors (tuple[array, array] | None): What ``knn(features,
                self.n_neighbors, **self.knn)`` returns, where several processes have
                searched together. Defaults to None: they are searched here.

        Returns:
            np.ndarray: (N,) int64: −1 is un-clustered, else 0…C−1, each of them in use.

        Raises:
            TypeError: If the features are not floating-point numbers.
            ValueError: If they are not 2-D, finite and normalised, or the neighbours
                are no such lists.
        """
        if neighbors is None:
            return super().fit_predict(features)
        features = as_features(features)
        check_normalized(features)
        self.stage_seconds = {}
        n_rows = len(features)
        indices = as_neighbors(neighbors[0], n_rows, min(self.n_neighbors, n_rows))
        labels = self.cluster_neighbors(features, indices, to_numpy(neighbors[1]))
        return self.number(labels, n_rows)
