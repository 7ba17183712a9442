"""Correction of pseudo labels by hand: merge, split, reject, undo, save."""

import os
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.cluster import AgglomerativeClustering

from mmreid_cc.atomic_writing import replacing
from mmreid_cc.clustering import cluster_centroids
from mmreid_cc.clustering.input_checks import as_features, as_integers
from mmreid_cc.datasets.label_files import relative_paths, write_labels

UNCLUSTERED = -1


class LabelEditor:
    """The cluster of each image, and the steps by which a person corrects it.

    The number of a cluster stays the same while others change. A new cluster gets an
    unused number.

    Args:
        labels (array): (N,) integers, −1 is un-clustered, any other ≥ 0 a cluster.
        paths (Sequence[str]): (N,) files, each once: the rows of the saved table.
        embeddings (array): (N, D) floating, rows L2-normalised; a memory-mapped array
            is read once.

    Attributes:
        labels (np.ndarray): (N,) int64, with all corrections so far. Do not write to
            it.
        clusters (np.ndarray): (C,) int64, the numbers of the clusters, sorted.
        sizes (np.ndarray): (C,) int64, the number of images of each.

    Raises:
        TypeError: If labels are not integers, or embeddings not floating.
        ValueError: If the lengths differ, a label is below −1, or a file comes twice.

    Example:
        >>> editor = LabelEditor([0, 0, 1, -1], ['a', 'b', 'c', 'd'], np.eye(4))
        >>> editor.merge(0, 1)
        >>> editor.reject([1])
        >>> editor.labels
        array([ 0, -1,  0, -1])
        >>> editor.undo()
        >>> editor.labels
        array([ 0,  0,  0, -1])
    """

    def __init__(
        self, labels: ArrayLike, paths: Sequence[str], embeddings: Any
    ) -> None:
        self.labels = as_integers(labels, 'labels').copy()
        self.paths = list(paths)
        self.embeddings = as_features(embeddings, 'embeddings')
        self._steps: list[tuple[np.ndarray, np.ndarray]] = []  # rows, former labels
        self._saved = list(self._steps)  # those that the file has
        lengths = len(self.labels), len(self.paths), len(self.embeddings)
        if len(set(lengths)) > 1:
            raise ValueError(
                'labels, paths and embeddings must be of one length, got '
                f'{lengths[0]}, {lengths[1]} and {lengths[2]}.'
            )
        if self.labels.min() < UNCLUSTERED:
            raise ValueError(
                f'labels must be at least −1, the lowest is {self.labels.min()}.'
            )
        files = relative_paths(self.paths)
        if len(set(files)) < len(files):
            twice = Counter(files).most_common(1)[0][0]
            raise ValueError(
                f'{twice} occurs more than once, and each image can have only one '
                'label. Build the gallery of each file once.'
            )
        self._update()

    @property
    def unsaved(self) -> int:
        """The number of steps between the saved labels and these, done or undone.

        Returns:
            int: At least 0. Before the first saving, the steps since the labels were
            given.

        Example:
            >>> editor.reject([0])
            >>> editor.unsaved
            1
        """
        pairs = zip(self._saved, self._steps, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs))
        return len(self._saved) + len(self._steps) - 2 * same

    def members(self, cluster: int) -> np.ndarray:
        """Return the images of a cluster, the most typical first.

        Args:
            cluster (int): Its number; −1 for the un-clustered, which come by row.

        Returns:
            np.ndarray: (n,) int64 rows; those nearest to the centroid first.

        Raises:
            ValueError: If there is no such cluster.

        Example:
            >>> editor.members(0)
            array([0, 1])
        """
        rows = np.flatnonzero(self.labels == cluster)
        if cluster == UNCLUSTERED:
            return rows
        centroid = self._centroids[self._index(cluster)]
        return rows[np.argsort(-(self.embeddings[rows] @ centroid), kind='stable')]

    def similar(self, cluster: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the other clusters, beginning with those most likely the same person.

        Args:
            cluster (int): A number of ``clusters``.

        Returns:
            tuple[np.ndarray, np.ndarray]: Numbers (C − 1,) int64, and the cosines of
            their centroids with that of the cluster, (C − 1,) float32.

        Raises:
            ValueError: If there is no such cluster.

        Example:
            >>> editor.similar(0)
            (array([1]), array([0.], dtype=float32))
        """
        index = self._index(cluster)
        cosines = self._centroids @ self._centroids[index]
        order = np.argsort(-cosines, kind='stable')
        order = order[order != index]
        return self.clusters[order], cosines[order]

    def merge(self, cluster: int, other: int) -> None:
        """Merge two clusters.

        Args:
            cluster (int): The number that stays.
            other (int): The number that goes.

        Raises:
            ValueError: If there is no such cluster, or both are the same.

        Example:
            >>> editor.merge(0, 1)
        """
        self._index(cluster)
        self._index(other)
        if cluster == other:
            raise ValueError(f'Cluster {cluster} cannot be merged with itself.')
        self._assign(np.flatnonzero(self.labels == other), cluster)

    def split(self, cluster: int) -> int:
        """Divide a cluster into the two parts whose images look most alike.

        Ward's method joins the images up to two parts (Ward, Hierarchical grouping to
        optimize an objective function, JASA 1963). It is deterministic, and seldom
        separates a single image. Memory grows with the square of the cluster's size.

        Args:
            cluster (int): The larger part keeps its number.

        Returns:
            int: The number of the smaller part.

        Raises:
            ValueError: If there is no such cluster, or it has but one image.

        Example:
            >>> editor.split(0)
            2
        """
        self._index(cluster)
        rows = np.flatnonzero(self.labels == cluster)
        if len(rows) < 2:
            raise ValueError(
                f'Cluster {cluster} has one image: there is nothing to split.'
            )
        parts = AgglomerativeClustering(2).fit_predict(self.embeddings[rows])
        smaller = np.argmin(np.bincount(parts))
        return self.separate(rows[parts == smaller])

    def separate(self, rows: ArrayLike) -> int:
        """Move images, clustered or not, into a new cluster.

        Args:
            rows (array): (n,) of the images.

        Returns:
            int: Number of the new cluster.

        Raises:
            ValueError: If there is no image, or no such row.

        Example:
            >>> editor.separate([1, 3])
            2
        """
        number = int(self.labels.max()) + 1
        self._assign(rows, number)
        return number

    def reject(self, rows: ArrayLike) -> None:
        """Remove images from their clusters, so that they are un-clustered.

        Args:
            rows (array): (n,) of the images.

        Raises:
            ValueError: If there is no image, or no such row.

        Example:
            >>> editor.reject(editor.members(0))
        """
        self._assign(rows, UNCLUSTERED)

    def undo(self) -> None:
        """Undo the last step.

        Raises:
            ValueError: If there is none.

        Example:
            >>> editor.undo()
        """
        if not self._steps:
            raise ValueError('There is nothing to undo.')
        rows, labels = self._steps.pop()
        self.labels[rows] = labels
        self._update()

    def save(self, file: str | os.PathLike) -> None:
        """Write the table that ``ClusterMemoryHook(initial_labels=...)`` reads.

        Args:
            file (str | os.PathLike): CSV file, see :func:`write_labels` of
                ``mmreid_cc.datasets``; its folder is created.

        Raises:
            OSError: If it cannot be written. An existing file does not change.

        Example:
            >>> editor.save('corrected.csv')
        """
        with replacing(Path(file)) as part:
            write_labels(part, self.paths, self.labels)
        self._saved = list(self._steps)

    def _assign(self, rows: ArrayLike, label: int) -> None:
        rows = as_integers(rows, 'rows')
        if not len(rows) or rows.min() < 0 or rows.max() >= len(self.labels):
            raise ValueError(
                f'Give one image or more, rows in 0…{len(self.labels) - 1}, not '
                f'{rows.tolist()}.'
            )
        self._steps.append((rows, self.labels[rows]))
        self.labels[rows] = label
        self._update()

    def _index(self, cluster: int) -> int:
        """Return the place of a cluster in ``clusters``."""
        found = np.flatnonzero(self.clusters == cluster)
        if not len(found):
            raise ValueError(f'There is no cluster {cluster}, or no longer.')
        return int(found[0])

    def _update(self) -> None:
        clustered = self.labels >= 0
        self.clusters, numbered, self.sizes = np.unique(
            self.labels[clustered], return_inverse=True, return_counts=True
        )
        compact = np.full(len(self.labels), UNCLUSTERED)
        compact[clustered] = numbered
        self._centroids = cluster_centroids(self.embeddings, compact)
