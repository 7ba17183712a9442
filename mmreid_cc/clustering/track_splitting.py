"""Splitting of tracks in which the tracker has switched to another person."""

import numpy as np

from .track_pooling import weighted_means

_ROUNDS = 5  # of 2-means
_LEAST = 2  # images in a part
_PARTS = 2  # rounds of splitting: up to four parts
_DEVIATIONS = 3.5  # Iglewicz and Hoaglin, How to detect and handle outliers, 1993
_TO_SIGMA = 1.4826  # of the median absolute deviation of normal numbers


def split_tracks(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Split the tracks whose images fall into two dissimilar halves.

    Each track is halved by 2-means. The halves of most tracks, which show one person,
    are about equally alike. If the halves of a track are far less alike (3.5 robust
    deviations below the median of all tracks), each half becomes a track of its own.

    Args:
        features (np.ndarray): (N, D) float32, rows L2-normalised.
        groups (np.ndarray): (N,) integers 0…T−1, each of them in use: the tracks.

    Returns:
        np.ndarray: (N,) int64, 0…S−1 with S ≥ T. A track that is split keeps its number
        for one part.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> people = np.eye(8)[[0] * 8 + [1] * 8 + [2] * 8 + [3] * 4 + [4] * 4]
        >>> features = (people + rng.normal(0, 0.05, people.shape)).astype(np.float32)
        >>> features /= np.linalg.norm(features, axis=1, keepdims=True)
        >>> np.bincount(split_tracks(features, np.repeat(np.arange(4), 8)))
        array([8, 8, 8, 4, 4])
    """
    groups = groups.astype(np.int64)
    limit = None
    for _ in range(_PARTS):
        second, likeness = _halves(features, groups)
        halved = np.isfinite(likeness)
        if limit is None:
            if halved.sum() < 3:
                return groups  # nothing to compare with
            middle = np.median(likeness[halved])
            spread = np.median(abs(likeness[halved] - middle))
            limit = middle - _DEVIATIONS * _TO_SIGMA * spread
        torn = np.flatnonzero(halved & (likeness < limit))
        numbers = np.full(len(likeness), -1)
        numbers[torn] = len(likeness) + np.arange(len(torn))
        moved = second & (numbers[groups] >= 0)
        if not moved.any():
            break
        groups = np.where(moved, numbers[groups], groups)
    return groups


def _halves(features: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Halve all tracks; return which images are in the second half, and how alike.

    The similarity (T,) is the cosine between the means of the halves, NaN for a track
    whose halves are too small.
    """
    count = int(groups.max()) + 1
    ones = np.ones(len(features))
    means = weighted_means(features, groups, ones, count)
    # Begin with the image farthest from the mean, and the one farthest from that.
    first = _farthest(features, means, groups)
    second_seed = _farthest(features, features[first].astype(np.float64), groups)
    seeds = features[first], features[second_seed]
    for _ in range(_ROUNDS):
        nearer = [np.einsum('nd,nd->n', features, seed[groups]) for seed in seeds]
        second = nearer[1] > nearer[0]
        sums = weighted_means(features, groups * 2 + second, ones, 2 * count)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        sums = (sums / np.where(norms == 0, 1, norms)).astype(np.float32)
        seeds = sums[::2], sums[1::2]
    sizes = np.bincount(groups * 2 + second, minlength=2 * count).reshape(count, 2)
    likeness = np.einsum('td,td->t', *seeds).astype(np.float64)
    return second, np.where((sizes >= _LEAST).all(axis=1), likeness, np.nan)


def _farthest(
    features: np.ndarray, points: np.ndarray, groups: np.ndarray
) -> np.ndarray:
    """Return the image of each track that is least like the point of the track."""
    likeness = np.einsum('nd,nd->n', features, points[groups])
    order = np.lexsort((likeness, groups))
    return order[np.searchsorted(groups[order], np.arange(len(points)))]
