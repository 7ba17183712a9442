"""Base class of the clusterers that link images or tracks across cameras."""

from abc import abstractmethod
from itertools import combinations
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .base import BaseClusterer
from .camera_normalization import as_cameras, normalize_cameras
from .input_checks import as_features, check_normalized

_ROWS = 4096  # at once


class CameraLinks(BaseClusterer):
    """Base class of clusterers that link images of different cameras.

    Each camera's mean is subtracted, and a subclass links the images of every two
    cameras (:meth:`link`). Images that are linked, also through others, form a cluster.
    An image without a link is un-clustered. Stages: ``links``.
    """

    @abstractmethod
    def link(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Link the images of two cameras.

        Args:
            one (np.ndarray): (N, D) float32, rows L2-normalised or zero, N ≥ 1.
            other (np.ndarray): (M, D) float32, M ≥ 1, the same of the other camera.

        Returns:
            np.ndarray: (L, 2) int64, a row of each.
        """

    def cluster(self, features: np.ndarray) -> np.ndarray:
        """Refuse, because cameras are needed, see :meth:`fit_predict`."""
        name = type(self).__name__
        raise ValueError(
            f'{name} needs the camera of each image: give `cam_ids` to fit_predict. In '
            "training it works within Tracklets: clusterer=dict(type='Tracklets', "
            f"clusterer=dict(type='{name}'))."
        )

    def fit_predict(self, features: Any, cam_ids: Any = None) -> np.ndarray:
        """Cluster features.

        Args:
            features (array): (N, D) floating, N ≥ 1, rows L2-normalised.
            cam_ids (array): (N,) integers, the camera of each.

        Returns:
            np.ndarray: (N,) int64: −1 is un-clustered, else 0…C−1, each of them in use.

        Raises:
            TypeError: If the features are not floating-point numbers.
            ValueError: If they are not 2-D, finite and normalised, or cameras are
                missing.
        """
        if cam_ids is None:
            return super().fit_predict(features)
        features = as_features(features)
        check_normalized(features)
        cam_ids = as_cameras(cam_ids, len(features))
        self.stage_seconds = {}
        with self.stage('links'):
            centred = normalize_cameras(features, cam_ids)
            cameras = [np.flatnonzero(cam_ids == each) for each in np.unique(cam_ids)]
            links = [np.empty((0, 2), dtype=np.int64)]
            for one, other in combinations(cameras, 2):
                rows, columns = self.link(centred[one], centred[other]).T
                links.append(np.stack([one[rows], other[columns]], axis=1))
            labels = _connected(np.concatenate(links), len(features))
        return self.number(labels, len(features))


def nearest_of(
    queries: np.ndarray, others: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most similar of other features for each query.

    Args:
        queries (np.ndarray): (N, D) float32.
        others (np.ndarray): (M, D) float32, M ≥ k.
        k (int): How many.

    Returns:
        tuple[np.ndarray, np.ndarray]: (N, k) int64 indices, in no order, and (N, k)
        float32 inner products.

    Example:
        >>> nearest_of(np.float32([[1, 0]]), np.float32([[0, 1], [1, 0]]), k=1)
        (array([[1]]), array([[1.]], dtype=float32))
    """
    indices = np.empty((len(queries), k), dtype=np.int64)
    similarities = np.empty((len(queries), k), dtype=np.float32)
    for first in range(0, len(queries), _ROWS):
        block = slice(first, first + _ROWS)
        products = queries[block] @ others.T
        if k == 1:  # of equal ones the first
            indices[block] = products.argmax(axis=1)[:, None]
        else:
            indices[block] = np.argpartition(-products, k - 1, axis=1)[:, :k]
        similarities[block] = np.take_along_axis(products, indices[block], axis=1)
    return indices, similarities


def _connected(links: np.ndarray, count: int) -> np.ndarray:
    """Label linked images; (N,), −1 for images without a link."""
    graph = coo_array((np.ones(len(links)), tuple(links.T)), (count, count))
    _, labels = connected_components(graph, directed=False)
    labels[np.bincount(labels)[labels] == 1] = -1
    return labels
