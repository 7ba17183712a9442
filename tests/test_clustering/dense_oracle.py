"""The textbook algorithms on dense matrices, to compare the package with."""

import numpy as np


def dense_knn(features, k):
    """Sort whole rows of the similarity matrix, with the row itself kept by force."""
    features = features.astype(np.float32).astype(np.float64)
    similarities = (features @ features.T).astype(np.float32)
    lists = []
    for i, row in enumerate(similarities):
        others = [j for j in range(len(row)) if j != i]
        others = sorted(others, key=lambda j: (-row[j], j))[: k - 1]
        lists.append(sorted([i, *others], key=lambda j: (-row[j], j)))
    indices = np.array(lists)
    return indices, np.take_along_axis(similarities, indices, axis=1)


def dense_encoding(neighbors, half, squared_distances, k2):
    """Zhong et al., CVPR 2017: expansion, Gaussian weights, local query expansion."""
    n = len(neighbors)

    def reciprocal(i, width):
        return {j for j in neighbors[i, :width] if i in neighbors[j, :width]}

    weights = np.zeros((n, n))
    for i in range(n):
        full = reciprocal(i, neighbors.shape[1])
        expanded = set(full)
        for c in full:
            candidates = reciprocal(c, half)
            if len(full & candidates) > 2 / 3 * len(candidates):
                expanded |= candidates
        members = sorted(expanded)
        weights[i, members] = np.exp(-squared_distances[i, members])
        weights[i] /= weights[i].sum()
    if k2 > 1:
        weights = np.stack([weights[row[:k2]].mean(axis=0) for row in neighbors])
    return weights


def dense_jaccard(weights):
    """1 − Σ min / Σ max between all rows."""
    distance = np.ones((len(weights), len(weights)))
    for i, row in enumerate(weights):
        smaller = np.minimum(row, weights).sum(axis=1)
        distance[i] = 1 - smaller / np.maximum(row, weights).sum(axis=1)
    return distance.clip(min=0)


def dense_jaccard_distance(features, k1, k2):
    neighbors, _ = dense_knn(features, k1)
    half = int(np.around(k1 / 2)) + 1
    features = features.astype(np.float64)
    weights = dense_encoding(neighbors, half, 2 - 2 * features @ features.T, k2)
    return dense_jaccard(weights)


def densify(distance):
    """Fill in the absent pairs of a sparse distance, which are 1."""
    dense = np.ones(distance.shape, dtype=np.float32)
    rows = np.repeat(np.arange(distance.shape[0]), np.diff(distance.indptr))
    dense[rows, distance.indices] = distance.data
    return dense


def re_id_like(n, identities, dim, noise=0.5, seed=0):
    """Normalised features around a centre per identity, and the identities."""
    rng = np.random.default_rng(seed)
    pids = rng.integers(0, identities, n)
    features = rng.standard_normal((identities, dim))[pids]
    features += noise * (0.5 + rng.random((n, 1))) * rng.standard_normal((n, dim))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features.astype(np.float32), pids
