"""Properties of the clusters of pseudo labels that are drawn."""

import numpy as np

from mmreid_cc.clustering import knn


class Clusters:
    """The clusters of a labelling: members, persons, purity, centroids.

    Args:
        labels (np.ndarray): (N,) integers, −1 is un-clustered, else 0…C − 1.
        features (np.ndarray, optional): (N, D) floating, L2-normalised. Defaults to
            None: no centroids.
        pids (np.ndarray, optional): (N,) identities, negative is unknown. Defaults to
            None: all unknown.

    Attributes:
        members (list[np.ndarray]): Rows of each cluster.
        sizes (np.ndarray): (C,) int64, images of each cluster.
        persons (np.ndarray): (C,) the identity that most images of a cluster show; −1
            if none is known.
        purities (np.ndarray): (C,) float64, the share of that person among the images
            of known identity; NaN if none is known.
        unclustered (np.ndarray): Rows without a cluster.
        centroids (np.ndarray | None): (C, D), L2-normalised.

    Example:
        >>> Clusters(np.array([0, 0, 0, -1]), pids=np.array([7, 7, 9, 9])).purities
        array([0.66666667])
    """

    def __init__(
        self,
        labels: np.ndarray,
        features: np.ndarray | None = None,
        pids: np.ndarray | None = None,
    ) -> None:
        count = int(labels.max()) + 1
        self.unclustered = np.flatnonzero(labels < 0)
        self.sizes = np.bincount(labels[labels >= 0], minlength=count)
        by_label = np.argsort(labels, kind='stable')[len(self.unclustered) :]
        ends = self.sizes.cumsum()
        self.members = [
            by_label[end - size : end]
            for end, size in zip(ends, self.sizes, strict=True)
        ]
        self.persons = np.full(count, -1)
        self.purities = np.full(count, np.nan)
        if pids is not None:
            for cluster, own in enumerate(self.members):
                known = pids[own][pids[own] >= 0]
                if len(known):
                    values, counts = np.unique(known, return_counts=True)
                    self.persons[cluster] = values[counts.argmax()]
                    self.purities[cluster] = counts.max() / len(known)
        self.centroids = None
        if features is not None and count:
            means = np.stack([features[own].mean(axis=0) for own in self.members])
            norms = np.linalg.norm(means, axis=1, keepdims=True)
            self.centroids = means / np.where(norms == 0, 1, norms)

    def largest(self) -> np.ndarray:
        """Return all clusters, the largest first."""
        return np.argsort(-self.sizes, kind='stable')

    def least_pure(self) -> np.ndarray:
        """Return the clusters with a known purity below 1, the least pure first."""
        impure = [cluster for cluster in self.largest() if self.purities[cluster] < 1]
        return np.array(sorted(impure, key=lambda i: self.purities[i]), dtype=np.int64)

    def similar_pairs(self, count: int) -> list[tuple[int, int, float]]:
        """Return the pairs of clusters whose centroids have the largest cosines.

        Args:
            count (int): How many, at most.

        Returns:
            list[tuple[int, int, float]]: Both clusters and their cosine, the most
            similar pair first. Empty without features.
        """
        if self.centroids is None:
            return []
        # A pair among the first so many is among as many of each of its clusters.
        neighbors, _ = knn(self.centroids, count + 1)
        first = np.repeat(np.arange(len(neighbors)), neighbors.shape[1])
        pairs = np.sort(np.stack([first, neighbors.ravel()], axis=1))
        pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
        left, right = self.centroids[pairs.T]
        cosines = (left * right).sum(axis=1)
        nearest = np.argsort(-cosines, kind='stable')[:count]
        return [
            (int(pairs[i, 0]), int(pairs[i, 1]), float(cosines[i])) for i in nearest
        ]
