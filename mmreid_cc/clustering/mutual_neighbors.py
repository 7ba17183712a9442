"""Clusters across cameras: who is whose nearest in another camera."""

from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .base import CLUSTERERS, BaseClusterer
from .camera_normalization import as_cameras, normalize_cameras
from .input_checks import as_features, check_normalized

_ROWS = 4096  # at once


@CLUSTERERS.register_module()
class MutualNeighbors(BaseClusterer):
    """Links across cameras between mutual nearest neighbours; no size, no threshold.

    In each two cameras an image of one and an image of the other are linked if each is
    the other's nearest, after each camera's mean was subtracted. Clusters are what is
    linked, also by way of others. It is made for the tracks of :class:`Tracklets`: a
    person has one of them, or a few, in each camera. An image without a link is
    un-clustered. Stages: ``links``.

    Args:
        min_similarity (float): Least cosine of a link, in [−1, 1], of features without
            camera means. Defaults to 0.0, above which two are alike at all.

    Raises:
        ValueError: If it is out of its range.

    Example:
        >>> features = np.float32([[1, 0], [0, 1], [1, 0.1], [0.1, 1]])
        >>> features /= np.linalg.norm(features, axis=1, keepdims=True)
        >>> clusterer = CLUSTERERS.build(dict(type='MutualNeighbors'))
        >>> clusterer.fit_predict(features, cam_ids=[1, 1, 2, 2])
        array([0, 1, 0, 1])
    """

    def __init__(self, min_similarity: float = 0.0) -> None:
        if not -1 <= min_similarity <= 1:
            raise ValueError(
                f'min_similarity must lie in [−1, 1], got {min_similarity}.'
            )
        self.min_similarity = min_similarity

    def cluster(self, features: np.ndarray) -> np.ndarray:
        """Not possible without cameras, see :meth:`fit_predict`."""
        raise ValueError(
            'MutualNeighbors needs the camera of each image: give `cam_ids` to '
            'fit_predict. In training it works within Tracklets: '
            "clusterer=dict(type='Tracklets', clusterer=dict(type='MutualNeighbors'))."
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
            links = mutual_links(
                normalize_cameras(features, cam_ids), cam_ids, self.min_similarity
            )
            size = len(features)
            graph = coo_array((np.ones(len(links)), tuple(links.T)), (size, size))
            _, labels = connected_components(graph, directed=False)
            labels[np.bincount(labels)[labels] == 1] = -1
        return self.number(labels, size)


def mutual_links(
    features: np.ndarray, cam_ids: np.ndarray, min_similarity: float = 0.0
) -> np.ndarray:
    """Find the mutual nearest neighbours of each two cameras.

    Args:
        features (np.ndarray): (N, D) float32, rows L2-normalised or zero.
        cam_ids (np.ndarray): (N,) integers.
        min_similarity (float): What a cosine must exceed. Defaults to 0.0.

    Returns:
        np.ndarray: (L, 2) int64, indices of linked features, the smaller camera first.

    Example:
        >>> mutual_links(np.eye(2, dtype=np.float32)[[0, 1, 1]], np.array([1, 1, 2]))
        array([[1, 2]])
    """
    cameras = [np.flatnonzero(cam_ids == camera) for camera in np.unique(cam_ids)]
    found = [np.empty((0, 2), dtype=np.int64)]
    for number, rows in enumerate(cameras):
        for columns in cameras[number + 1 :]:
            forth, similarity = _nearest(features[rows], features[columns])
            back, _ = _nearest(features[columns], features[rows])
            own = np.arange(len(rows))
            mutual = (back[forth] == own) & (similarity > min_similarity)
            found.append(np.stack([rows[mutual], columns[forth[mutual]]], axis=1))
    return np.concatenate(found)


def _nearest(queries: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index and similarity of the nearest of the others to each query."""
    indices, similarities = [], []
    for first in range(0, len(queries), _ROWS):
        products = queries[first : first + _ROWS] @ others.T
        best = products.argmax(axis=1)
        indices.append(best)
        similarities.append(np.take_along_axis(products, best[:, None], axis=1)[:, 0])
    return np.concatenate(indices), np.concatenate(similarities)
