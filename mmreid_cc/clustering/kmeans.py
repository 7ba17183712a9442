"""k-means on the features themselves."""

import faiss
import numpy as np

from .base import CLUSTERERS, BaseClusterer
from .input_checks import check_count
from .parallel import faiss_threads, n_threads


@CLUSTERERS.register_module()
class KMeans(BaseClusterer):
    """k-means of faiss on the features; every image is in a cluster.

    Stage: ``kmeans``.

    Args:
        n_clusters (int): Number of clusters, at most N.
        max_iter (int): Rounds of assignment and update. Defaults to 25.
        random_state (int): Seed of the choice of the first centroids. Defaults to 0.

    Raises:
        ValueError: If a parameter is out of its range; from :meth:`fit_predict` also if
            there are fewer images than clusters.

    Source: Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 1982.

    Example:
        >>> clusterer = CLUSTERERS.build(dict(type='KMeans', n_clusters=2))
        >>> np.bincount(clusterer.fit_predict(np.repeat(np.eye(2), 3, axis=0)))
        array([3, 3])
    """

    def __init__(
        self, n_clusters: int, max_iter: int = 25, random_state: int = 0
    ) -> None:
        check_count('n_clusters', n_clusters)
        check_count('max_iter', max_iter)
        if not isinstance(random_state, int) or random_state < 0:
            raise ValueError(
                f'random_state must be an integer of at least 0, got {random_state!r}.'
            )
        self.n_clusters = n_clusters
        self.max_iter = max_iter
        self.random_state = random_state

    def cluster(self, features: np.ndarray) -> np.ndarray:
        """Cluster features, see :meth:`BaseClusterer.cluster`."""
        n_rows, dim = features.shape
        if self.n_clusters > n_rows:
            raise ValueError(
                f'KMeans: n_clusters={self.n_clusters} is more than the {n_rows} '
                'images. Choose fewer clusters.'
            )
        with self.stage('kmeans'), faiss_threads(n_threads()):
            kmeans = faiss.Kmeans(
                dim,
                self.n_clusters,
                niter=self.max_iter,
                seed=self.random_state,
                min_points_per_centroid=1,  # faiss only warns below 39
                max_points_per_centroid=n_rows,  # train on all images, not on a sample
            )
            kmeans.train(features)
            return kmeans.assign(features)[1]
