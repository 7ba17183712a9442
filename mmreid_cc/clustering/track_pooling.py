"""One feature for each track, robust to occluded images and identity switches."""

import numpy as np
from scipy.sparse import csr_array

_ROUNDS = 10
_NEAREST = 1e-3  # a distance below this weighs no more
_ROWS = 1 << 16  # at once


def pool_tracks(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Pool the features of each track by their geometric median.

    The geometric median is the point with the smallest mean distance. Up to half of the
    images of a track can show somebody else before it leaves the others, while each
    image moves the mean.

    Args:
        features (np.ndarray): (N, D) float32, rows L2-normalised.
        groups (np.ndarray): (N,) integers 0…T−1, each of them in use: the tracks.

    Returns:
        np.ndarray: (T, D) float32, rows L2-normalised; a track of one image has its
        feature, to the last bit.

    Source: Weiszfeld, Tohoku Mathematical Journal 43, 1937.

    Example:
        >>> features = np.float32([[1, 0], [1, 0], [1, 0], [0, 1]])
        >>> pool_tracks(features, np.zeros(4, np.int64)).round(2)
        array([[1., 0.]], dtype=float32)
    """
    sizes = np.bincount(groups)
    medians = weighted_means(features, groups, np.ones(len(features)), len(sizes))
    for _ in range(_ROUNDS):
        distances = _distances(features, medians, groups)
        weights = 1 / np.maximum(distances, _NEAREST)
        medians = weighted_means(features, groups, weights, len(sizes))
    norms = np.linalg.norm(medians, axis=1, keepdims=True)
    pooled = (medians / np.where(norms == 0, 1, norms)).astype(np.float32)
    single = np.flatnonzero(sizes[groups] == 1)
    pooled[groups[single]] = features[single]
    return pooled


def weighted_means(
    features: np.ndarray, groups: np.ndarray, weights: np.ndarray, count: int
) -> np.ndarray:
    """Compute the weighted mean of the features of each group.

    Args:
        features (np.ndarray): (N, D) float32.
        groups (np.ndarray): (N,) integers 0…G−1.
        weights (np.ndarray): (N,) positive.
        count (int): G.

    Returns:
        np.ndarray: (G, D) float64; zero for a group without features.

    Example:
        >>> features, groups = np.float32([[0], [3]]), np.array([0, 0])
        >>> weighted_means(features, groups, np.array([2, 1]), count=1)
        array([[1.]])
    """
    totals = np.bincount(groups, weights, minlength=count)
    shares = weights / totals[groups]
    rows = np.arange(len(features))
    return csr_array((shares, (groups, rows)), (count, len(features))) @ features


def _distances(
    features: np.ndarray, points: np.ndarray, groups: np.ndarray
) -> np.ndarray:
    """Return the distance of each feature from the point of its group."""
    parts = []
    for first in range(0, len(features), _ROWS):
        block = slice(first, first + _ROWS)
        difference = features[block] - points[groups[block]]
        parts.append(np.sqrt(np.einsum('nd,nd->n', difference, difference)))
    return np.concatenate(parts)
