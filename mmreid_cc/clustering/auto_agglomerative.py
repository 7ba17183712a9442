"""Clustering across cameras, with settings that are found from the features."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .agglomerative import agglomerate_to
from .base import CLUSTERERS, BaseClusterer
from .camera_jaccard import CameraSizes, camera_jaccard_distance
from .camera_normalization import as_cameras, normalize_cameras
from .infomap import drop_small
from .input_checks import as_features, check_normalized
from .jaccard import jaccard_distance
from .judging import judge_by_halves, means_and_errors
from .setting_chooser import SettingChooser, estimated_people
from .setting_grid import Settings

_SIZES = (2, 3, 5, 8, 12, 20)
_SIZES_OF_ONE_CAMERA = (2, 3, 4, 5, 6, 8, 12, 20)
_THRESHOLDS = (0.6, 0.7, 0.8, 0.9)
_MIN_SIZES = (2, 4)
_SPLITS = 2  # merging is slow; five chose the same on CUHK03


@CLUSTERERS.register_module()
class AutoAgglomerative(SettingChooser, BaseClusterer):
    """Average linkage with settings found from the features, and across cameras.

    If cameras differ, plain neighbours come from the image's own camera, and clusters
    do not cross cameras. Here every image has as many neighbours in its own camera as
    in others, see :func:`camera_jaccard_distance`. Their number, the threshold of the
    linkage and the smallest cluster are found as by :class:`AutoDBSCAN`: images are
    clustered by one half of the dimensions and judged by the other, from which each
    camera's mean is subtracted before it is whitened. Images of one camera have ``k``
    neighbours in it, see :func:`jaccard_distance`. Time and memory grow with the square
    of the number of images. Stages: ``choice``, ``clusters``.

    Args:
        seed (int): Seed of the splits. Defaults to 0.

    Attributes:
        chosen (dict | None): ``k``, neighbours in the own camera and as many in others,
            ``distance_threshold`` and ``min_cluster_size`` of the last call; None
            before it, and where it found no people.
        candidates (list[tuple[dict, float]]): All settings and their scores in the last
            call, best first.
        people (tuple[int, int, int] | None): See :func:`estimated_people`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> people = np.repeat(rng.normal(size=(20, 32)), 6, axis=0)
        >>> features = people + 0.5 * rng.normal(size=people.shape)
        >>> features /= np.linalg.norm(features, axis=1, keepdims=True)
        >>> clusterer = CLUSTERERS.build(dict(type='AutoAgglomerative'))
        >>> labels = clusterer.fit_predict(features, cam_ids=np.arange(120) % 2)
        >>> len(np.unique(labels))
        20
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.forget_choice()

    def __repr__(self) -> str:
        """Show the call that makes it, and what it has chosen."""
        chosen = '' if self.chosen is None else f' → {self.chosen}'
        return f'AutoAgglomerative(){chosen}'

    def cluster(self, features: np.ndarray) -> np.ndarray:
        """Cluster images of one camera, see :meth:`fit_predict`."""
        return self.fit_predict(features)

    def fit_predict(self, features: Any, cam_ids: Any = None) -> np.ndarray:
        """Cluster features.

        Args:
            features (array): (N, D) floating, N ≥ 1, rows L2-normalised.
            cam_ids (array | None): (N,) integers, the camera of each image. Defaults to
                None: one camera.

        Returns:
            np.ndarray: (N,) int64: −1 is un-clustered, else 0…C−1, each of them in use.

        Raises:
            TypeError: If the features are not floating-point numbers.
            ValueError: If they are not 2-D, finite and normalised, or there is not one
                camera for each.
        """
        features = as_features(features)
        check_normalized(features)
        count = len(features)
        cam_ids = as_cameras(
            np.zeros(count, int) if cam_ids is None else cam_ids, count
        )
        self.stage_seconds = {}
        self.forget_choice()
        settings = camera_grid(len(np.unique(cam_ids)))
        with self.stage('choice'):
            silhouettes, _ = judge_by_halves(
                features,
                len(settings),
                self.seed,
                lambda half, then: camera_sweep(half, cam_ids, settings, then),
                lambda half: normalize_cameras(half, cam_ids),
                _SPLITS,
            )
            scores, errors = means_and_errors(silhouettes)
            scores = scores.round(5)
        best = self.choose(settings, scores, scores, errors, count)
        if not len(best):
            return np.full(count, -1, dtype=np.int64)
        with self.stage('clusters'):
            _, labels = next(camera_sweep(features, cam_ids, [settings[best[0]]]))
        labels = self.number(labels, count)
        self.people = estimated_people(labels)
        return labels


def camera_grid(n_cameras: int) -> list[Settings]:
    """Return the settings that :class:`AutoAgglomerative` tries.

    Args:
        n_cameras (int): Number of cameras.

    Returns:
        list[dict]: Each of ``k``, ``distance_threshold`` and ``min_cluster_size``.

    Example:
        >>> len(camera_grid(2)), len(camera_grid(1))
        (48, 64)
    """
    sizes = _SIZES if n_cameras > 1 else _SIZES_OF_ONE_CAMERA
    return [
        dict(k=k, distance_threshold=threshold, min_cluster_size=size)
        for k in sizes
        for threshold in _THRESHOLDS
        for size in _MIN_SIZES
    ]


def camera_sweep(
    features: np.ndarray,
    cam_ids: np.ndarray,
    settings: Sequence[Settings],
    then: Any = lambda found: found,
) -> Iterator[tuple[int, Any]]:
    """Cluster with many settings, each distance and order of merging computed once.

    Args:
        features (np.ndarray): (N, D) float32, L2-normalised.
        cam_ids (np.ndarray): (N,) int64.
        settings (Sequence[dict]): S of them, see :func:`camera_grid`.
        then (Callable): What is done with an index and its labels. Defaults to nothing.

    Yields:
        tuple: The index and the labels of a setting, or what ``then`` returns for them.

    Example:
        >>> one = dict(k=5, distance_threshold=0.8, min_cluster_size=4)
        >>> dict(camera_sweep(features, cam_ids, [one]))
        {0: array([0, 0, 1, ...])}
    """
    several = len(np.unique(cam_ids)) > 1
    for k in sorted({s['k'] for s in settings}):
        group = [i for i, s in enumerate(settings) if s['k'] == k]
        if several:
            half = max(1, round(k / 2))
            sizes = CameraSizes(k, k, half, half)
            distance = camera_jaccard_distance(features, cam_ids, sizes)
        else:
            distance = jaccard_distance(features, k, max(1, round(k / 5)))
        thresholds = sorted({settings[i]['distance_threshold'] for i in group})
        merged = agglomerate_to(distance, thresholds, 'average')
        labels_at = dict(zip(thresholds, merged, strict=True))
        for i in group:
            labels = labels_at[settings[i]['distance_threshold']]
            labels = drop_small(labels, settings[i]['min_cluster_size'])
            yield then((i, labels))
