"""The textbook way to re-rank, on dense matrices and in loops, to compare ours with."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


def dense_re_ranking(
    query: Matrix, gallery: Matrix, k1: int = 20, k2: int = 6, lambda_value: float = 0.3
) -> Matrix:
    """Compute the re-ranked distance as public code does, in (Q + G)² matrices.

    Args:
        query: (Q, D), L2-normalised.
        gallery: (G, D), L2-normalised.
        k1: neighbours of the reciprocal sets, the image itself not counted.
        k2: rows averaged by query expansion.
        lambda_value: weight of the original distance.

    Returns:
        (Q, G) distance.

    Source: Zhong et al., CVPR 2017 (arXiv 1701.08398).
    """
    features = np.concatenate([query, gallery])
    n, n_query = len(features), len(query)
    # In float32 rounding would put images that are nearly as far in another order.
    exact = np.square(2 - 2 * features.astype(np.float64) @ features.T)
    ranks = np.argsort(exact, axis=1, kind='stable')[:, : k1 + 1].copy()
    original = (exact / exact.max(axis=1, keepdims=True)).astype(np.float32)
    del exact
    weights = np.zeros((n, n), dtype=np.float32)
    for i in range(n):
        full = _reciprocal(ranks, i, k1)
        members = full
        for candidate in full:
            others = _reciprocal(ranks, candidate, int(np.around(k1 / 2)))
            if len(np.intersect1d(others, full)) > 2 / 3 * len(others):
                members = np.append(members, others)
        members = np.unique(members)
        similarity = np.exp(-original[i, members])
        weights[i, members] = similarity / similarity.sum()
    if k2 > 1:
        weights = np.stack([weights[row[:k2]].mean(axis=0) for row in ranks])
    holders = [np.flatnonzero(weights[:, i]) for i in range(n)]
    jaccard = np.zeros((n_query, n), dtype=np.float32)
    for i in range(n_query):
        shared = np.zeros(n, dtype=np.float32)
        for column in np.flatnonzero(weights[i]):
            rows = holders[column]
            shared[rows] += np.minimum(weights[i, column], weights[rows, column])
        jaccard[i] = 1 - shared / (2 - shared)
    mixed = lambda_value * original[:n_query] + (1 - lambda_value) * jaccard
    return mixed[:, n_query:]


def _reciprocal(ranks: NDArray[np.int64], i: int, k: int) -> NDArray[np.int64]:
    forward = ranks[i, : k + 1]
    return forward[(ranks[forward, : k + 1] == i).any(axis=1)]
