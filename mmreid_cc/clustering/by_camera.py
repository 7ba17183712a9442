"""Clusters of each camera, linked across cameras."""

from copy import deepcopy
from typing import Any

import numpy as np

from .base import CLUSTERERS, BaseClusterer
from .camera_normalization import as_cameras
from .input_checks import as_features, check_normalized
from .setting_chooser import estimated_people, people_in_words
from .tracklets import Tracklets
from .wrapping_clusterer import WrappingClusterer


@CLUSTERERS.register_module()
class ByCamera(WrappingClusterer):
    """Cluster each camera by itself, then link the clusters of different cameras.

    Within a camera a person looks much the same, so clusters are found there with few
    errors. Across cameras the images of a person differ more than those of two people
    in one camera, so single images are poor witnesses. Here the clusters of a camera
    take the place of tracks: features are whitened by the differences within them, each
    is pooled into one feature, and these are linked across cameras, as
    :class:`Tracklets` does. Clusters of one camera are not joined, unless through
    another camera. A cluster of a camera that is linked to none is a cluster, and an
    image alone in its camera that is linked to none is un-clustered.

    Combine it with :class:`CameraProxyMemory`: two clusters of a person that are not
    linked are two people to :class:`ClusterMemory`. Stages: those of the clusterer over
    all cameras, ``pooling``, and those of the links.

    Args:
        clusterer (dict | None): Config of the algorithm that clusters a camera. It is
            not given the cameras. Defaults to None: ``dict(type='AutoAgglomerative')``,
            whose settings are found in each camera.
        links (dict | None): Config of the algorithm that links, e.g.
            ``dict(type='MutualNeighbors')``. Defaults to None:
            ``dict(type='CameraMatching')``.

    Attributes:
        clusterer (BaseClusterer): The algorithm that clusters a camera.
        clusterers (dict[int, BaseClusterer]): Its copy for each camera of the last
            call, with the settings that it found there.
        links (Tracklets): What links across cameras.
        people (tuple[int, int, int] | None): Estimated number of people in the last
            call, and a range of it: see :func:`estimated_people`. None before it, and
            where it found nobody.

    Source: first within cameras, then across them, is the order of Xuan and Zhang,
    Intra-inter Camera Similarity for Unsupervised Person Re-Identification, CVPR 2021
    (arXiv 2103.11658), whose similarities and networks are other ones.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> people = np.repeat(rng.normal(size=(20, 32)), 10, axis=0)
        >>> features = people + 0.5 * rng.normal(size=people.shape)
        >>> features /= np.linalg.norm(features, axis=1, keepdims=True)
        >>> clusterer = CLUSTERERS.build(dict(type='ByCamera'))
        >>> labels = clusterer.fit_predict(features, cam_ids=np.arange(200) % 2)
        >>> len(np.unique(labels))
        20
    """

    def __init__(
        self,
        clusterer: dict[str, Any] | None = None,
        links: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(clusterer or dict(type='AutoAgglomerative'))
        self.clusterers: dict[int, BaseClusterer] = {}
        self.people: tuple[int, int, int] | None = None
        self.links = Tracklets(
            links or dict(type='CameraMatching'),
            same_time=None,
            whiten=True,
        )

    def __repr__(self) -> str:
        """Show the algorithm of each camera, and what it has found."""
        by_camera = self.clusterers or self.clusterer
        return f'ByCamera({by_camera!r}, {self.links.clusterer!r})'

    def explanation(self) -> str:
        """Explain in words what the last call has done.

        Returns:
            str: Some sentences.
        """
        if self.people is None:
            return 'No groups of images can be told apart.'
        return (
            f'Each of {len(self.clusterers)} cameras was clustered by itself, by '
            f'{type(self.clusterer).__name__}, and the clusters were linked across '
            f'cameras. {people_in_words(self.people)}'
        )

    def cluster(self, features: np.ndarray) -> np.ndarray:
        """Refuse, because cameras are needed, see :meth:`fit_predict`."""
        raise ValueError(
            'ByCamera needs the camera of each image: give `cam_ids` to fit_predict. '
            'Without cameras, use AutoDBSCAN.'
        )

    def fit_predict(self, features: Any, cam_ids: Any = None) -> np.ndarray:
        """Cluster features.

        Args:
            features (array): (N, D) floating, N ≥ 1, rows L2-normalised.
            cam_ids (array): (N,) integers, the camera of each image. With one camera
                nothing is linked.

        Returns:
            np.ndarray: (N,) int64: −1 is un-clustered, else 0…C−1, each of them in use.

        Raises:
            TypeError: If the features are not floating-point numbers, or cameras not
                integers.
            ValueError: If the features are not 2-D, finite and normalised, or cameras
                are missing.
        """
        features = as_features(features)
        if cam_ids is None:
            return self.cluster(features)
        check_normalized(features)
        cam_ids = as_cameras(cam_ids, len(features))
        self.stage_seconds = {}
        tracks = np.full(len(features), -1)
        cameras = np.unique(cam_ids).tolist()
        self.clusterers = {camera: deepcopy(self.clusterer) for camera in cameras}
        for camera, clusterer in self.clusterers.items():
            own = np.flatnonzero(cam_ids == camera)
            tracks[own] = self.cluster_by(str(camera), clusterer, features[own])
        labels = self.cluster_by(
            'links', self.links, features, cam_ids=cam_ids, tracks=tracks
        )
        self.people = estimated_people(labels) if (labels >= 0).any() else None
        return labels
