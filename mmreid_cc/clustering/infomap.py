"""InfoMap on the graph of nearest neighbours."""

from typing import Any

import numpy as np

from .base import CLUSTERERS
from .input_checks import check_count
from .neighbor_clusterer import NeighborClusterer


@CLUSTERERS.register_module()
class InfoMap(NeighborClusterer):
    """Communities of the k-NN graph by the map equation.

    A directed link leads from each image to each of its neighbours that is similar
    enough, weighted by the similarity; images without a link and those of small
    clusters stay un-clustered. The defaults are the paper's. Stages: ``neighbours``,
    ``infomap``.

    Args:
        k (int): Neighbours, the image itself included, at least 2. Defaults to 15.
        min_similarity (float): Cosine from which on neighbours are linked, in (0, 1].
            Defaults to 0.5.
        min_cluster_size (int): Smaller clusters are dropped. Defaults to 5.
        seed (int): Seed of the random search, at least 1. Defaults to 123, infomap's
            own.
        knn (dict | None): How neighbours are searched, see :class:`NeighborClusterer`.
            Defaults to None.

    Raises:
        ImportError: If the library infomap is not installed.
        ValueError: If a parameter is out of its range.

    Source: Rosvall and Bergstrom, Maps of random walks on complex networks reveal
    community structure, PNAS 2008; parameters from the public code of Dai et al.,
    Cluster Contrast.

    Example:
        >>> clusterer = CLUSTERERS.build(dict(type='InfoMap', k=5))
        >>> clusterer.fit_predict(np.repeat(np.eye(2), 5, axis=0))
        array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    """

    def __init__(
        self,
        k: int = 15,
        min_similarity: float = 0.5,
        min_cluster_size: int = 5,
        seed: int = 123,
        knn: dict[str, Any] | None = None,
    ) -> None:
        check_count('k', k)
        if k < 2:
            raise ValueError('k counts the image itself and must be at least 2, got 1.')
        if not 0 < min_similarity <= 1:
            raise ValueError(
                f'min_similarity must lie in (0, 1], got {min_similarity!r}.'
            )
        check_count('min_cluster_size', min_cluster_size)
        check_count('seed', seed)
        _import_infomap()
        super().__init__(k, knn)
        self.k = k
        self.min_similarity = min_similarity
        self.min_cluster_size = min_cluster_size
        self.seed = seed

    def cluster_neighbors(
        self, features: np.ndarray, neighbors: np.ndarray, similarities: np.ndarray
    ) -> np.ndarray:
        """Cluster, see :meth:`NeighborClusterer.cluster_neighbors`."""
        with self.stage('infomap'):
            linked = similarities >= self.min_similarity
            linked &= neighbors != np.arange(len(features))[:, None]
            sources, columns = np.nonzero(linked)
            modules = communities(
                len(features),
                sources,
                neighbors[sources, columns],
                similarities[sources, columns],
                self.seed,
            )
        return drop_small(modules, self.min_cluster_size)


def communities(
    n_nodes: int,
    sources: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Find the communities of a directed graph by the two-level map equation.

    Args:
        n_nodes (int): Number of nodes N.
        sources (np.ndarray): (L,) integers in 0…N−1, where links start.
        targets (np.ndarray): (L,) integers in 0…N−1, where links end.
        weights (np.ndarray): (L,) positive weights of the links.
        seed (int): Seed of the random search, at least 1.

    Returns:
        np.ndarray: (N,) int64, the community of each node, counted from 1; −1 without
        links.

    Raises:
        ImportError: If the library infomap is not installed.

    Example:
        >>> communities(3, np.array([0, 1]), np.array([1, 0]), np.ones(2), seed=1)
        array([ 1,  1, -1])
    """
    labels = np.full(n_nodes, -1, dtype=np.int64)
    if len(sources) == 0:  # the library refuses an empty network
        return labels
    network = _import_infomap().Infomap(
        directed=True, two_level=True, silent=True, seed=seed
    )
    network.add_links(np.column_stack([sources, targets, weights]))
    modules = network.run().modules()
    labels[list(modules)] = list(modules.values())
    return labels


def drop_small(labels: np.ndarray, min_size: int) -> np.ndarray:
    """Mark the images of small clusters as un-clustered.

    Args:
        labels (np.ndarray): (N,) integers, negative is un-clustered.
        min_size (int): Clusters of fewer images are dropped.

    Returns:
        np.ndarray: (N,), −1 where a cluster was dropped, other labels unchanged.

    Example:
        >>> drop_small(np.array([0, 0, 1]), min_size=2)
        array([ 0,  0, -1])
    """
    _, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return np.where(sizes[inverse] >= min_size, labels, -1)


def _import_infomap() -> Any:
    try:
        import infomap
    except ImportError as error:
        raise ImportError(
            'InfoMap needs the library infomap, which is licensed under the AGPL and '
            'therefore an extra: `pip install mmreid-cc[infomap]`.'
        ) from error
    return infomap
