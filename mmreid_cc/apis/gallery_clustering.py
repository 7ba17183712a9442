"""Clustering of embedded images as a config does it in training."""

import numpy as np
from mmengine.config import Config
from numpy.typing import ArrayLike

from mmreid_cc.clustering import (
    CLUSTERERS,
    JaccardClusterer,
    arguments_taken,
    normalize_cameras,
)
from mmreid_cc.engine.hook_config import cluster_hook

from .metadata_numbers import camera_numbers, known_numbers
from .model import scope_of


class GalleryClusterer:
    """The clusterer that a config trains with, for a gallery or a folder of crops.

    Args:
        cfg (Config): Config with a ``ClusterMemoryHook``.
        cameras (array, optional): (N,) camera of each image, a number or a text; see
            :func:`mmreid_cc.apis.metadata_numbers.camera_name` for unknown ones.
            Defaults to None: all unknown.
        tracks (array, optional): (N,) track of each image within its camera, a number
            or a text; −1 or empty for none. Defaults to None: no image has one.
        times (array, optional): (N,) seconds, NaN for unknown. Defaults to None: all
            unknown. Tracks and times are for :class:`Tracklets`.

    Raises:
        ValueError: If the config has no such hook, or clusters by cameras that are not
            all known.

    Example:
        >>> cfg = Config.fromfile('configs/cc_r50_market.py')
        >>> clusterer = GalleryClusterer(cfg)
        >>> clusterer
        DBSCAN(eps=0.6, min_samples=4, k1=30, k2=6)
        >>> labels = clusterer.fit_predict(gallery.embeddings)
    """

    def __init__(
        self,
        cfg: Config,
        cameras: ArrayLike | None = None,
        tracks: ArrayLike | None = None,
        times: ArrayLike | None = None,
    ) -> None:
        hook = cluster_hook(cfg)
        if hook is None:
            raise ValueError(
                'The config has no ClusterMemoryHook, neither in `default_hooks` nor '
                'in `custom_hooks`: it trains with identities. Use a config of '
                'Cluster Contrast with this model.'
            )
        self.settings = dict(hook['clusterer'])
        with scope_of(cfg):
            self.clusterer = CLUSTERERS.build(self.settings)
        self.normalization = hook.get('camera_normalization')
        self.cam_ids = None if cameras is None else camera_numbers(cameras)
        self.tracks = None if tracks is None else known_numbers(tracks)
        self.times = None if times is None else np.asarray(times, np.float64)
        by_camera = {'camera_normalization': self.normalization}
        if isinstance(self.clusterer, JaccardClusterer):
            by_camera['clusterer.cameras'] = self.clusterer.cameras
        needed = [name for name, value in by_camera.items() if value is not None]
        if needed and self.cam_ids is None:
            key = f'default_hooks.cluster_memory.{needed[0]}'
            raise ValueError(
                f'The config clusters by cameras (`{key}`), and some cameras of the '
                'images are unknown. Give all of them, on the command line by '
                f'--pattern; or set `{key}=None`.'
            )

    def __repr__(self) -> str:
        settings = {k: v for k, v in self.settings.items() if k != 'type'}
        arguments = ', '.join(f'{key}={value!r}' for key, value in settings.items())
        return f'{self.settings["type"]}({arguments})'

    def fit_predict(self, embeddings: np.ndarray) -> np.ndarray:
        """Find clusters.

        Args:
            embeddings (np.ndarray): (N, D) floating, L2-normalised.

        Returns:
            np.ndarray: (N,) int64, −1 is un-clustered, else 0…C − 1.
        """
        if self.normalization is not None:
            standardize = self.normalization == 'standardize'
            embeddings = normalize_cameras(
                embeddings, self.cam_ids, standardize=standardize
            )
        known = dict(cam_ids=self.cam_ids, tracks=self.tracks, times=self.times)
        arguments = arguments_taken(self.clusterer, **known)
        return self.clusterer.fit_predict(embeddings, **arguments)
