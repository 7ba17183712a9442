"""Training images with their pseudo labels, and the pictures of them."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from .cameras import has_cameras
from .cluster_sheet import cluster_sheet
from .embedding_map import embedding_map, project

MAPPED = 2000  # images on a map: t-SNE takes some seconds for them


@dataclass(frozen=True)
class ClusteredImages:
    """Images and their clusters, row by row.

    Args:
        paths (np.ndarray): (N,) files.
        features (np.ndarray): (N, D) floating, L2-normalised.
        pids (np.ndarray): (N,) identities, negative is unknown.
        cam_ids (np.ndarray): (N,) cameras; not shown if none is known, i.e. above 0.
        labels (np.ndarray): (N,) integers, −1 is un-clustered, else 0…C − 1.

    Example:
        >>> images = ClusteredImages(paths, features, pids, cam_ids, labels)
        >>> save_figure(images.sheet(), 'clusters.png')
    """

    paths: np.ndarray
    features: np.ndarray
    pids: np.ndarray
    cam_ids: np.ndarray
    labels: np.ndarray

    @property
    def cameras(self) -> np.ndarray | None:
        """The cameras of the images; None if all are unknown."""
        return self.cam_ids if has_cameras(self.cam_ids) else None

    def sheet(self, n_clusters: int = 4, n_members: int = 10) -> Figure:
        """Draw clusters, a row each, see :func:`cluster_sheet`.

        Args:
            n_clusters (int): Rows of a section. Defaults to 4.
            n_members (int): Images of a row. Defaults to 10.

        Returns:
            Figure: At 100 dots per inch an image is 128 pixels high.
        """
        return cluster_sheet(
            self.paths,
            self.labels,
            self.features,
            self.pids,
            self.cameras,
            n_clusters=n_clusters,
            n_members=n_members,
        )

    def map(self, count: int = MAPPED, method: str = 'tsne', seed: int = 0) -> Figure:
        """Draw images in the plane, by cluster and, if known, by camera.

        Args:
            count (int): Images on the map at most, drawn by chance. Defaults to 2000.
            method (str): See :func:`project`. Defaults to ``'tsne'``.
            seed (int): Seed of the draw and of the map. Defaults to 0.

        Returns:
            Figure: See :func:`embedding_map`.
        """
        drawn = np.random.default_rng(seed).permutation(len(self.labels))
        rows = np.sort(drawn[:count])
        groups = {'cluster': self.labels[rows]}
        if self.cameras is not None:
            groups['camera'] = self.cameras[rows]
        return embedding_map(project(self.features[rows], method, seed), groups)
