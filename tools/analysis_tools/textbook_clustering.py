"""The textbook way to pseudo labels, dense and in loops, to compare ours with.

It does what public code of the method does: an N × N matrix of weights and one of
distances, both float32, filled row by row in Python.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

Matrix = NDArray[np.float32]


def dense_jaccard(
    features: Matrix, neighbors: NDArray[np.int64], k1: int = 30, k2: int = 6
) -> Matrix:
    """Compute the Jaccard distance of k-reciprocal encodings.

    Args:
        features: (N, D), L2-normalised.
        neighbors: (N, k1), best first, the image itself included.
        k1: neighbours of the full sets.
        k2: rows averaged by query expansion.

    Returns:
        (N, N) distance in [0, 1].

    Source: Zhong et al., CVPR 2017 (arXiv 1701.08398).
    """
    n = len(features)
    half = int(np.around(k1 / 2)) + 1
    full_sets = [_reciprocal(neighbors, i, k1) for i in range(n)]
    half_sets = [_reciprocal(neighbors, i, half) for i in range(n)]
    weights = np.zeros((n, n), dtype=np.float32)
    for i in range(n):
        members = full_sets[i]
        for candidate in full_sets[i]:
            others = half_sets[candidate]
            if len(np.intersect1d(others, full_sets[i])) > 2 / 3 * len(others):
                members = np.append(members, others)
        members = np.unique(members)
        similarity = np.exp(-(2 - 2 * features[members] @ features[i]))
        weights[i, members] = similarity / similarity.sum()
    if k2 > 1:
        weights = np.stack([weights[row[:k2]].mean(axis=0) for row in neighbors])
    holders = [np.flatnonzero(weights[:, i]) for i in range(n)]
    distance = np.zeros((n, n), dtype=np.float32)
    for i in range(n):
        shared = np.zeros(n, dtype=np.float32)
        for column in np.flatnonzero(weights[i]):
            rows = holders[column]
            shared[rows] += np.minimum(weights[i, column], weights[rows, column])
        distance[i] = 1 - shared / (2 - shared)
    return distance.clip(min=0)


def dense_dbscan(
    distance: Matrix, eps: float = 0.6, min_samples: int = 4
) -> NDArray[np.int64]:
    """Cluster with scikit-learn's DBSCAN.

    Args:
        distance: (N, N).
        eps: largest distance of neighbours.
        min_samples: neighbours of a core point, itself included.

    Returns:
        (N,) labels, −1 un-clustered.
    """
    scikit = DBSCAN(eps=eps, min_samples=min_samples, metric='precomputed', n_jobs=-1)
    return scikit.fit_predict(distance)


def _reciprocal(neighbors: NDArray[np.int64], i: int, width: int) -> NDArray[np.int64]:
    forward = neighbors[i, :width]
    return forward[(neighbors[forward, :width] == i).any(axis=1)]
