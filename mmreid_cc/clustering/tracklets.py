"""Clustering of tracks instead of images."""

from typing import Any

import numpy as np

from .base import CLUSTERERS
from .camera_normalization import as_cameras
from .input_checks import as_features, check_normalized, to_numpy
from .same_time import separate_overlapping
from .track_pooling import pool_tracks
from .track_splitting import split_tracks
from .track_whitening import whiten_tracks
from .tracks import number_tracks, track_intervals
from .wrapping_clusterer import WrappingClusterer

SAME_TIME = ('separate', 'separate_cameras')


@CLUSTERERS.register_module()
class Tracklets(WrappingClusterer):
    """Cluster tracks instead of images: the images of a track show one person.

    The features of a track are pooled by their geometric median, the tracks are
    clustered by any algorithm, and each image gets the label of its track. A track of
    several images that belongs to no cluster becomes a cluster, because its images are
    known to belong together. An image without a track takes part as a track of one
    image. Stages: ``pooling``, ``same time`` and those of the clusterer.

    Args:
        clusterer (dict | None): Config of the algorithm that clusters the tracks;
            sizes in it (``k1``, ``min_samples``) count tracks. It is given the cameras
            if it takes them. Defaults to None: ``dict(type='AutoDBSCAN')``.
        same_time (str | None): ``'separate'``: tracks of one camera that overlap in
            time never share a cluster; ``'separate_cameras'``: nor do those of
            different cameras, which is right if no place is seen by two of them and
            their clocks agree; None: times are not looked at. An image without a track
            is put apart from none. Defaults to ``'separate'``.
        split (bool): Split a track first whose images are of two kinds, as when the
            tracker went over to another person, see :func:`split_tracks`. Defaults to
            False.
        whiten (bool): Weigh down first in what the images of a track differ, see
            :func:`whiten_tracks`. Defaults to False.

    Attributes:
        clusterer (BaseClusterer): The algorithm.

    Raises:
        ValueError: If a parameter is none of these.

    Example:
        >>> features = np.float32([[1, 0], [0.8, 0.6], [0, 1], [1, 0]])
        >>> clusterer = CLUSTERERS.build(
        ...     dict(type='Tracklets', clusterer=dict(type='MutualNeighbors')))
        >>> clusterer.fit_predict(features, cam_ids=[1, 1, 1, 2], tracks=[5, 5, 6, 5])
        array([ 0,  0, -1, -1])
    """

    def __init__(
        self,
        clusterer: dict[str, Any] | None = None,
        same_time: str | None = 'separate',
        split: bool = False,
        whiten: bool = False,
    ) -> None:
        if same_time not in (None, *SAME_TIME):
            raise ValueError(
                f'same_time must be None or in {SAME_TIME}, got {same_time!r}.'
            )
        super().__init__(clusterer or dict(type='AutoDBSCAN'))
        self.same_time, self.split, self.whiten = same_time, split, whiten

    def cluster(self, features: np.ndarray) -> np.ndarray:
        """Cluster images without tracks, see :meth:`fit_predict`."""
        return self.fit_predict(features)

    def fit_predict(
        self,
        features: Any,
        cam_ids: Any = None,
        tracks: Any = None,
        times: Any = None,
    ) -> np.ndarray:
        """Cluster features.

        Args:
            features (array): (N, D) floating, N ≥ 1, rows L2-normalised.
            cam_ids (array | None): (N,) integers, the camera of each image. Defaults to
                None: one camera.
            tracks (array | None): (N,) integers, the number of its track within its
                camera; negative: none. Defaults to None: no image has one.
            times (array | None): (N,) seconds, NaN where unknown. Defaults to None:
                nothing is known of times.

        Returns:
            np.ndarray: (N,) int64: −1 is un-clustered, else 0…C−1, each of them in use.

        Raises:
            TypeError: If the features are not floating-point numbers, or cameras or
                tracks not integers.
            ValueError: If the features are not 2-D, finite and normalised, or there is
                not one camera, track or time for each.
        """
        features = as_features(features)
        check_normalized(features)
        count = len(features)
        cam_ids = as_cameras(
            np.zeros(count, int) if cam_ids is None else cam_ids, count
        )
        if tracks is None:
            tracks = np.full(count, -1)
        self.stage_seconds = {}
        with self.stage('pooling'):
            groups = number_tracks(tracks, cam_ids)
            whole = groups
            if self.split:
                groups = split_tracks(features, groups)
            if self.whiten:
                features = whiten_tracks(features, groups)
            pooled = pool_tracks(features, groups)
            _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
        cameras = cam_ids[first]
        labels = self.cluster_by('tracks', self.clusterer, pooled, cam_ids=cameras)
        alone = (labels < 0) & (sizes > 1)
        labels[alone] = labels.max(initial=-1) + 1 + np.arange(alone.sum())
        if self.same_time is not None and times is not None:
            with self.stage('same time'):
                intervals = track_intervals(groups, times)
                # The time of one image proves little: clocks may have whole seconds.
                intervals[to_numpy(tracks)[first] < 0] = np.nan
                places = cameras
                if self.same_time == 'separate_cameras':
                    places = np.zeros_like(cameras)
                labels = separate_overlapping(
                    labels, pooled, places, intervals, whole[first]
                )
        return self.number(labels[groups], count)
