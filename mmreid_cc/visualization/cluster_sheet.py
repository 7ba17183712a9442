"""Sheets of a clustering: clusters, similar pairs, and un-clustered images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .clusters import Clusters
from .colors import BLUE, GREY, VERMILION
from .crop_sheet import CropSheet, FramedCrop


def cluster_sheet(
    paths: Sequence[str] | np.ndarray,
    labels: np.ndarray,
    features: np.ndarray | None = None,
    pids: np.ndarray | None = None,
    cam_ids: np.ndarray | None = None,
    *,
    n_clusters: int = 4,
    n_members: int = 10,
) -> Figure:
    """Draw clusters of pseudo labels, a row each.

    The sections are the largest clusters; the least pure of the others, where
    identities are known; the pairs of clusters whose centroids are the most similar,
    each cluster with its images that are nearest to the other one; and images without
    a cluster.

    With features, the images of a cluster run from the one nearest to its centroid to
    the farthest, evenly spread, and each shows its cosine with the centroid. Where
    identities are known, an image that does not show its cluster's most frequent
    person has a dashed frame and a cross.

    Args:
        paths (Sequence[str]): Paths of all N images; those on the sheet are read.
        labels (np.ndarray): (N,) integers, −1 is un-clustered, else 0…C − 1.
        features (np.ndarray, optional): (N, D) floating, L2-normalised. Defaults to
            None: no cosines and no pairs.
        pids (np.ndarray, optional): (N,) identities, negative is unknown. Defaults to
            None: no purity.
        cam_ids (np.ndarray, optional): (N,) cameras. Defaults to None: not shown.
        n_clusters (int): Rows of a section. Defaults to 4.
        n_members (int): Images of a row. Defaults to 10.

    Returns:
        Figure: At 100 dots per inch an image is 128 pixels high.

    Raises:
        ValueError: If the arrays are not of one length, or there is no image.
        OSError: If an image cannot be read.

    Example:
        >>> figure = cluster_sheet(paths, labels, features, pids)
        >>> save_figure(figure, 'clusters.png')
    """
    columns = {'labels': labels, 'features': features, 'pids': pids, 'cam_ids': cam_ids}
    for name, column in columns.items():
        if column is not None and len(column) != len(paths):
            raise ValueError(f'{len(paths)} paths do not fit {len(column)} {name}.')
    if not len(paths):
        raise ValueError('There is no image of which to draw clusters.')
    rows = _Rows(paths, Clusters(labels, features, pids), features, pids, cam_ids)
    clusters = rows.clusters
    largest = clusters.largest()[:n_clusters]
    sheet = CropSheet()
    if clusters.members:
        sheet.add_title(
            f'Largest of {len(clusters.members)} clusters '
            '(✗: not the most frequent person)'
        )
        for cluster in largest:
            sheet.add_row(*rows.cluster(cluster, n_members))
    least_pure = [i for i in clusters.least_pure() if i not in largest]
    if least_pure:
        sheet.add_title(f'Least pure of {len(least_pure)} others with several persons')
        for cluster in least_pure[:n_clusters]:
            sheet.add_row(*rows.cluster(cluster, n_members))
    pairs = clusters.similar_pairs(n_clusters)
    if pairs:
        sheet.add_title(
            'Most similar pairs of clusters, with the images nearest to each other'
        )
        for first, second, cosine in pairs:
            sheet.add_row(*rows.pair(first, second, cosine, n_members))
    count = len(clusters.unclustered)
    share = count / len(labels)
    sheet.add_title(f'Un-clustered: {count} of {len(labels)} images ({share:.0%})')
    if count:
        sheet.add_row(*rows.unclustered(n_members))
    return sheet.figure()


Row = tuple[str, list[FramedCrop | None]]


class _Rows:
    """Creates each kind of row."""

    def __init__(
        self,
        paths: Sequence[str] | np.ndarray,
        clusters: Clusters,
        features: np.ndarray | None,
        pids: np.ndarray | None,
        cam_ids: np.ndarray | None,
    ) -> None:
        self.paths = paths
        self.clusters = clusters
        self.features = features
        self.pids = np.full(len(paths), -1) if pids is None else pids
        self.cam_ids = cam_ids

    def cluster(self, cluster: int, count: int) -> Row:
        """Add a cluster, from the image nearest to its centroid to the farthest."""
        own = self.clusters.members[cluster]
        text = [f'cluster {cluster}', f'{len(own)} images']
        if self.clusters.persons[cluster] >= 0:
            text.append(f'purity {self.clusters.purities[cluster]:.0%}')
        if self.cam_ids is not None:
            cameras = len(np.unique(self.cam_ids[own]))
            text.append(f'{cameras} camera{"s" if cameras > 1 else ""}')
        shown = _spread(self._nearest_first(own, cluster), count)
        return '\n'.join(text), [self._member(i, cluster, cluster) for i in shown]

    def pair(self, first: int, second: int, cosine: float, count: int) -> Row:
        """Add two clusters, half a row each, with the images that are nearest."""
        persons = self.clusters.persons
        text = [f'{first} and {second}', f'cosine {cosine:.2f}']
        if min(persons[first], persons[second]) >= 0:
            same = persons[first] == persons[second]
            text.append('one person' if same else 'two persons')
        halves: list[list[FramedCrop | None]] = []
        for cluster, other in ((first, second), (second, first)):
            own = self._nearest_first(self.clusters.members[cluster], other)
            shown = own[: max(1, count // 2)]
            halves.append([self._member(i, cluster, other) for i in shown])
        return '\n'.join(text), [*halves[0], None, *halves[1]]

    def unclustered(self, count: int) -> Row:
        """Add images without a cluster."""
        crops: list[FramedCrop | None] = []
        for i in _spread(self.clusters.unclustered, count):
            lines = self._name(i)
            if self.features is not None and self.clusters.centroids is not None:
                cosines = self.clusters.centroids @ self.features[i]
                lines.append(f'{cosines.max():.2f} to {cosines.argmax()}')
            crops.append(FramedCrop(str(self.paths[i]), '\n'.join(lines), GREY, ':'))
        nearest = self.clusters.centroids is not None
        return 'cosine to the\nnearest cluster' if nearest else '', crops

    def _nearest_first(self, own: np.ndarray, cluster: int) -> np.ndarray:
        if self.features is None or self.clusters.centroids is None:
            return own
        cosines = self.features[own] @ self.clusters.centroids[cluster]
        return own[np.argsort(-cosines, kind='stable')]

    def _member(self, i: int, cluster: int, compared: int) -> FramedCrop:
        """Return a cluster's image with its cosine to the centroid of ``compared``."""
        lines = self._name(i)
        if self.features is not None and self.clusters.centroids is not None:
            cosine = self.clusters.centroids[compared] @ self.features[i]
            lines.append(f'{cosine:.2f}')
        if self.pids[i] >= 0 and self.pids[i] != self.clusters.persons[cluster]:
            lines[-1] = f'✗ {lines[-1]}'
            return FramedCrop(
                str(self.paths[i]), '\n'.join(lines), VERMILION, linestyle='--'
            )
        return FramedCrop(str(self.paths[i]), '\n'.join(lines), BLUE)

    def _name(self, i: int) -> list[str]:
        """Return what is known about an image: its camera and its person."""
        camera = [] if self.cam_ids is None else [f'c{self.cam_ids[i]}']
        person = [f'id {self.pids[i]}'] if self.pids[i] >= 0 else []
        return [' '.join(camera + person)] if camera or person else []


def _spread(indices: np.ndarray, count: int) -> np.ndarray:
    """Return at most so many of the indices, evenly spread from first to last."""
    if len(indices) <= count:
        return indices
    return indices[np.linspace(0, len(indices) - 1, count).round().astype(int)]
