"""The base class of the algorithms on the Jaccard distance, plain or by camera."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .camera_jaccard import CameraSizes, camera_jaccard_distance
from .input_checks import as_features, check_count
from .jaccard import jaccard_distance
from .neighbor_clusterer import NeighborClusterer


@dataclass(eq=False, repr=False, kw_only=True)
class JaccardClusterer(NeighborClusterer):
    """Base class of the algorithms on the Jaccard distance.

    A subclass implements :meth:`cluster_distance`. If it has parameters of its own, it
    must be a dataclass, too, and check them in ``__post_init__``. The stages
    ``neighbours`` and ``distance`` are measured here; with ``cameras``, the search is
    part of ``distance``.

    Args:
        k1 (int): Neighbours of the reciprocal sets. Defaults to 30.
        k2 (int): Rows averaged by query expansion, in 1…k1. Defaults to 6.
        knn (dict | None): How neighbours are searched, see :class:`NeighborClusterer`.
            Defaults to None.
        cameras (dict | None): Arguments of :class:`CameraSizes`, ``dict()`` for its
            defaults: :func:`camera_jaccard_distance` takes the place of
            :func:`jaccard_distance`, and they that of ``k1`` and ``k2``. Defaults to
            None.

    Attributes:
        max_distance (float): Pairs that are farther apart are not needed; 1.0 unless
            the subclass sets it.

    Raises:
        ValueError: If a parameter is out of its range.

    Example:
        >>> class FirstNeighbor(JaccardClusterer):
        ...     def cluster_distance(self, distance):
        ...         return distance.indices[distance.indptr[:-1]]
        >>> FirstNeighbor(k1=2, k2=1).fit_predict(np.repeat(np.eye(2), 2, axis=0))
        array([0, 0, 1, 1])
    """

    k1: int = 30
    k2: int = 6
    knn: Any = None
    cameras: Any = None

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_count('k1', self.k1)
        check_count('k2', self.k2, maximum=self.k1)
        NeighborClusterer.__init__(self, self.k1, self.knn)
        self.max_distance = 1.0
        if self.cameras is not None:
            self.cameras = CameraSizes(**self.cameras)
            if self.knn:
                raise ValueError(
                    'With `cameras` neighbours are searched exactly, camera by camera: '
                    f'leave `knn` out, got {self.knn}.'
                )

    @abstractmethod
    def cluster_distance(self, distance: csr_array) -> np.ndarray:
        """Cluster images whose distances are known.

        Args:
            distance (csr_array): (N, N) as :func:`jaccard_distance` returns it; pairs
                beyond ``max_distance`` are absent.

        Returns:
            np.ndarray: (N,) integers, see :meth:`BaseClusterer.cluster`.
        """

    def cluster_neighbors(
        self, features: np.ndarray, neighbors: np.ndarray, similarities: np.ndarray
    ) -> np.ndarray:
        """Cluster, see :meth:`NeighborClusterer.cluster_neighbors`."""
        with self.stage('distance'):
            distance = jaccard_distance(
                features,
                self.k1,
                self.k2,
                neighbors=neighbors,
                max_distance=self.max_distance,
            )
        return self.cluster_distance(distance)

    def fit_predict(
        self,
        features: Any,
        neighbors: tuple[Any, Any] | None = None,
        cam_ids: Any = None,
    ) -> np.ndarray:
        """Cluster features.

        Args:
            features (array): (N, D) floating, N ≥ 1, rows L2-normalised.
            neighbors (tuple[array, array] | None): See
                :meth:`NeighborClusterer.fit_predict`. Defaults to None.
            cam_ids (array | None): (N,) integers, the camera of each image. Needed with
                ``cameras``, not looked at without. Defaults to None.

        Returns:
            np.ndarray: (N,) int64: −1 is un-clustered, else 0…C−1, each of them in use.

        Raises:
            TypeError: If the features are not floating-point numbers.
            ValueError: If they are not 2-D, finite and normalised, the neighbours are
                no such lists, or cameras are missing or all the same.
        """
        if self.cameras is None:
            return super().fit_predict(features, neighbors)
        if cam_ids is None:
            raise ValueError(
                f'{type(self).__name__} with `cameras` needs the camera of each image: '
                'give `cam_ids` to fit_predict.'
            )
        features = as_features(features)
        self.stage_seconds = {}
        with self.stage('distance'):
            distance = camera_jaccard_distance(
                features, cam_ids, self.cameras, max_distance=self.max_distance
            )
        return self.number(self.cluster_distance(distance), len(features))
