"""What the algorithms on the Jaccard distance share: plain or by camera."""

from abc import abstractmethod
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .camera_jaccard import CameraSizes, camera_jaccard_distance
from .inputs import as_features, check_count
from .jaccard import jaccard_distance
from .neighbor_clusterer import NeighborClusterer


class JaccardClusterer(NeighborClusterer):
    """Base class of the algorithms on the Jaccard distance.

    A subclass implements :meth:`cluster_distance`. The stages ``neighbours`` and
    ``distance`` are measured here; with ``cameras`` the search is part of ``distance``.

    Args:
        k1 (int): Neighbours of the reciprocal sets.
        k2 (int): Rows averaged by query expansion, in 1…k1.
        knn (dict | None): How neighbours are searched, see :class:`NeighborClusterer`.
            Defaults to None.
        cameras (dict | None): Arguments of :class:`CameraSizes`, ``dict()`` for its
            defaults: :func:`camera_jaccard_distance` takes the place of
            :func:`jaccard_distance`, and they that of ``k1`` and ``k2``. Defaults to
            None.
        max_distance (float): Pairs that are farther apart are not needed. Defaults to
            1.0.

    Raises:
        ValueError: If a parameter is out of its range.

    Example:
        >>> class Near(JaccardClusterer):
        ...     def cluster_distance(self, distance):
        ...         return distance.argmin(axis=1)
        >>> Near(k1=2, k2=1).fit_predict(np.repeat(np.eye(2), 2, axis=0))
        array([0, 0, 1, 1])
    """

    def __init__(
        self,
        k1: int,
        k2: int,
        knn: dict[str, Any] | None = None,
        cameras: dict[str, int] | None = None,
        max_distance: float = 1.0,
    ) -> None:
        check_count('k1', k1)
        check_count('k2', k2, maximum=k1)
        super().__init__(k1, knn)
        self.k1, self.k2, self.max_distance = k1, k2, max_distance
        self.cameras = None if cameras is None else CameraSizes(**cameras)
        if cameras is not None and self.knn:
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
