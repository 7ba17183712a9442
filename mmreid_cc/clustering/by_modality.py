"""Clusters of visible images, and clusters of infrared ones."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from .base import CLUSTERERS, BaseClusterer
from .camera_normalization import as_cameras
from .input_checks import as_features
from .modalities import infrared_images
from .wrapping_clusterer import WrappingClusterer

MODALITIES = ('visible', 'infrared')


@CLUSTERERS.register_module()
class ByModality(WrappingClusterer):
    """Cluster visible and infrared images apart, each by itself.

    Images of different modalities differ more than those of different people, so no
    cluster is to hold both. Infrared clusters are numbered behind the visible ones. The
    stages are those of the clusterer, over both.

    Args:
        infrared_cameras (Sequence[int]): The numbers of the infrared cameras; all other
            cameras are visible ones.
        clusterer (dict | None): Config of the algorithm that clusters a modality. It is
            given the cameras if it takes them. Defaults to None:
            ``dict(type='AutoDBSCAN')``.

    Attributes:
        clusterer (BaseClusterer): The algorithm that clusters a modality.
        clusterers (dict[str, BaseClusterer]): Its copies for ``'visible'`` and
            ``'infrared'`` images.

    Example:
        >>> clusterer = ByModality((3,), dict(type='DBSCAN', min_samples=2, k1=2, k2=1))
        >>> clusterer.fit_predict(np.repeat(np.eye(2), 2, axis=0), cam_ids=[1, 1, 3, 3])
        array([0, 0, 1, 1])
    """

    def __init__(
        self, infrared_cameras: Sequence[int], clusterer: dict[str, Any] | None = None
    ) -> None:
        self.infrared_cameras = tuple(infrared_cameras)
        super().__init__(clusterer or dict(type='AutoDBSCAN'))
        self.clusterers: dict[str, BaseClusterer] = {
            name: deepcopy(self.clusterer) for name in MODALITIES
        }

    def __repr__(self) -> str:
        """Show the algorithm of each modality, and what it has found."""
        return f'ByModality({self.infrared_cameras}, {self.clusterers!r})'

    def cluster(self, features: np.ndarray) -> np.ndarray:
        """Refuse images without cameras, see :meth:`fit_predict`."""
        raise ValueError(
            'ByModality needs the camera of each image: give `cam_ids` to fit_predict.'
        )

    def fit_predict(self, features: Any, cam_ids: Any = None) -> np.ndarray:
        """Cluster features.

        Args:
            features (array): (N, D) floating, N ≥ 1, rows L2-normalised.
            cam_ids (array): (N,) integers, the camera of each image.

        Returns:
            np.ndarray: (N,) int64: −1 is un-clustered, else 0…C−1, each of them in use.

        Raises:
            TypeError: If the features are not floating-point numbers, or cameras not
                integers.
            ValueError: If the features are not 2-D and finite, cameras are missing, or
                there is no image of a modality.
        """
        features = as_features(features)
        if cam_ids is None:
            return self.cluster(features)
        cameras = as_cameras(cam_ids, len(features))
        infrared = infrared_images(cameras, self.infrared_cameras)
        labels = np.full(len(features), -1)
        self.stage_seconds = {}
        for name, clusterer in self.clusterers.items():
            images = np.flatnonzero(infrared == (name == 'infrared'))
            found = self.cluster_by(
                name, clusterer, features[images], cam_ids=cameras[images]
            )
            offset = labels.max() + 1
            labels[images] = np.where(found < 0, -1, found + offset)
        return labels
