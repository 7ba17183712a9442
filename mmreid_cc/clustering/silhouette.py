"""Silhouettes of clusters in dimensions that they were not found in, without labels.

Source: Rousseeuw, Silhouettes, J. Comput. Appl. Math. 20, 1987, with centroids in the
place of all pairs (the simplified silhouette of Hruschka et al., 2004).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .input_checks import as_features, as_integers

_N_COMPONENTS = 128
_IMAGES_PER_COMPONENT = 3  # with less, directions are those of single images
_FEWEST_DIMENSIONS = 4  # of which two halves can be made
_MOST_DIMENSIONS = 512  # of a half: more cost time and tell no more
MOST_JUDGED = 2000  # images, for a mean that is sure to 0.01
_MOST_ROWS = 20_000  # that tell the directions of variance
_NEGLIGIBLE = 1e-6  # share of the largest variance
_ROWS_PER_BLOCK = 256


def cross_silhouette(
    halves: Sequence[Any], labels: Sequence[Any], rows: Any = None
) -> float:
    """Judge a way of clustering by two halves of the dimensions, without labels.

    The images are clustered twice, each time by one half of the dimensions only. In the
    other half, which did not influence the clusters, each image should be nearer to the
    rest of its cluster than to any other cluster. Clusters that are too small or too
    large both get a low score.

    Args:
        halves (Sequence[array]): Two, (N, D1) and (N, D2) floating: what the clusters
            are judged by, e.g. :func:`whiten` of what :func:`split_dimensions` returns.
        labels (Sequence[array]): Two, (N,) integers each, −1 is un-clustered: the
            clusters found in the first half and those found in the second.
        rows (array | None): (R,) integers, the images that are judged. Defaults to
            None, all.

    Returns:
        float: In [−1, 1], the mean over images and both directions; about 0 where the
        halves have nothing to do with each other.

    Raises:
        TypeError: If features are not floating or labels not integers.
        ValueError: If there are not two of each, or a shape is another one.

    Example:
        >>> halves = np.repeat(np.eye(2), 3, axis=0), np.repeat(np.eye(2), 3, axis=0)
        >>> labels = np.repeat([0, 1], 3)
        >>> cross_silhouette(halves, [labels, labels])
        1.0
    """
    if len(halves) != 2 or len(labels) != 2:
        raise ValueError(
            f'Two halves and two clusterings are compared, got {len(halves)} and '
            f'{len(labels)}.'
        )
    scores = [
        centroid_silhouette(half, found, rows).mean()
        for half, found in zip(halves, reversed(labels), strict=True)
    ]
    return float(np.mean(scores))


def centroid_silhouette(features: Any, labels: Any, rows: Any = None) -> np.ndarray:
    """Compute the silhouette of images by the centroids of clusters.

    With a the cosine distance of an image to the mean of the *other* images of its
    cluster, and b that to the nearest mean of another cluster, it is (b − a) / max(a,
    b). An image that is un-clustered, alone in its cluster, or in the only cluster, has
    0.

    Args:
        features (array): (N, D) floating, rows L2-normalised.
        labels (array): (N,) integers 0…C−1; −1 is un-clustered.
        rows (array | None): (R,) integers, the images wanted. Defaults to None, all.

    Returns:
        np.ndarray: (R,) float32 in [−1, 1].

    Raises:
        TypeError: If features are not floating or labels not integers.
        ValueError: If a shape is another one.

    Example:
        >>> centroid_silhouette(np.repeat(np.eye(2), 2, axis=0), [0, 0, 1, -1])
        array([1., 1., 0., 0.], dtype=float32)
    """
    features = as_features(features)
    labels = as_integers(labels, 'labels')
    if len(labels) != len(features):
        raise ValueError(f'{len(labels)} labels do not fit {len(features)} features.')
    rows = np.arange(len(labels)) if rows is None else as_integers(rows, 'rows')
    silhouettes = np.zeros(len(rows), dtype=np.float32)
    members = np.flatnonzero(labels >= 0)
    sizes = np.bincount(labels[members])
    if np.count_nonzero(sizes) < 2:
        return silhouettes
    ones = np.ones(len(members), dtype=np.float32)
    columns = np.argsort(labels[members], kind='stable')
    pointers = np.concatenate([[0], np.cumsum(sizes)])
    shape = len(sizes), len(members)
    sums = csr_array((ones, columns, pointers), shape) @ features[members]
    centroids = normalize(sums)
    own_labels = labels[rows]
    judged = np.flatnonzero((own_labels >= 0) & (sizes[own_labels] > 1))
    for first in range(0, len(judged), _ROWS_PER_BLOCK):
        block = judged[first : first + _ROWS_PER_BLOCK]
        images, own = features[rows[block]], own_labels[block]
        cosines = images @ centroids.T
        cosines[np.arange(len(block)), own] = -np.inf
        cosines[:, sizes == 0] = -np.inf
        others = 1 - cosines.max(axis=1)
        mates = normalize(sums[own] - images)
        inside = 1 - np.einsum('nd,nd->n', mates, images)
        # Distances by rounding between equal images do not count.
        largest = np.maximum(np.maximum(inside, others), np.finfo(np.float32).eps * 8)
        silhouettes[block] = np.clip((others - inside) / largest, -1, 1)
    return silhouettes


def label_silhouette(features: Any, labels: Any, seed: int = 0) -> float:
    """Judge clusters by the features that they were found in, without identities.

    It is the mean of :func:`centroid_silhouette` over images, in whitened features. It
    compares clusterings of the same features; it is less suited to compare features,
    for which :func:`cross_silhouette` uses dimensions that the clusters were not made
    from.

    Args:
        features (array): (N, D) floating, rows L2-normalised.
        labels (array): (N,) integers 0…C−1; −1 is un-clustered.
        seed (int): Seed of the 2,000 images and 1,024 dimensions that are looked at,
            where there are more. Defaults to 0.

    Returns:
        float: In [−1, 1].

    Raises:
        TypeError: If features are not floating or labels not integers.
        ValueError: If a shape is another one.

    Example:
        >>> label_silhouette(np.repeat(np.eye(4), 2, axis=0), [0, 0, 1, 1, 2, 2, 3, 3])
        1.0
    """
    features = as_features(features)
    rows = np.random.default_rng([seed, len(features)]).permutation(len(features))
    judge = whitened_sample(features, seed)
    return float(centroid_silhouette(judge, labels, rows[:MOST_JUDGED]).mean())


def whitened_sample(features: np.ndarray, seed: int) -> np.ndarray:
    """Whiten features, using at most 1,024 of their dimensions.

    Args:
        features (np.ndarray): (N, D) float32.
        seed (int): Seed of the dimensions.

    Returns:
        np.ndarray: As :func:`whiten` returns it.

    Example:
        >>> whitened_sample(np.eye(6, dtype=np.float32), seed=0).shape
        (6, 2)
    """
    order = np.random.default_rng([seed, features.shape[1]])
    some = order.permutation(features.shape[1])[: 2 * _MOST_DIMENSIONS]
    return whiten(centered(features[:, np.sort(some)]))


def split_dimensions(features: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split the dimensions of features into two views that share none.

    The mean is subtracted first, because it is most of the features if all are alike.

    Args:
        features (np.ndarray): (N, D) float32.
        seed (int): Seed of the split.

    Returns:
        tuple[np.ndarray, np.ndarray]: (N, D // 2) each, of at most 512 dimensions,
        float32, rows L2-normalised. With less than 4 dimensions there are no halves:
        all of them, twice.

    Example:
        >>> [half.shape for half in split_dimensions(np.eye(6, dtype=np.float32), 0)]
        [(6, 3), (6, 3)]
    """
    dim = features.shape[1]
    if dim < _FEWEST_DIMENSIONS:
        every = centered(features)
        return every, every
    order = np.random.default_rng([seed, dim]).permutation(dim)
    size = min(dim // 2, _MOST_DIMENSIONS)
    first, second = order[:size], order[size : 2 * size]
    return centered(features[:, first]), centered(features[:, second])


def centered(features: np.ndarray) -> np.ndarray:
    """Subtract the mean of all rows, and normalise them again.

    Args:
        features (np.ndarray): (N, D) float32.

    Returns:
        np.ndarray: (N, D) float32; a row that is the mean becomes zeros.

    Example:
        >>> centered(np.float32([[1, 0], [1, 2]]))
        array([[ 0., -1.],
               [ 0.,  1.]], dtype=float32)
    """
    mean = features.mean(axis=0, dtype=np.float64)
    rows = features - mean.astype(np.float32)
    rows[np.abs(rows) < np.finfo(np.float32).eps] = 0  # of equal features
    return normalize(rows)


def whiten(features: np.ndarray) -> np.ndarray:
    """Give the main directions of variance the same weight, and normalise.

    Pose, camera and background cause the directions of largest variance, while identity
    shows in smaller ones.

    Args:
        features (np.ndarray): (N, D) float32, centred.

    Returns:
        np.ndarray: (N, min(D, N / 3, 128)) float32, rows L2-normalised; fewer columns
        where the features vary in fewer directions, at least one.

    Example:
        >>> whiten(np.float32([[3, 0], [-3, 0], [0, 1], [0, -1]])).round(3)
        array([[ 1.,  0.],
               [-1.,  0.],
               [ 0.,  1.],
               [ 0., -1.]], dtype=float32)
    """
    step = -(-len(features) // _MOST_ROWS)
    some = features[::step]
    variances, directions = np.linalg.eigh((some.T @ some).astype(np.float64))
    count = min(max(len(features) // _IMAGES_PER_COMPONENT, 2), _N_COMPONENTS)
    best = np.argsort(-variances, kind='stable')[:count]
    best = best[variances[best] > _NEGLIGIBLE * variances[best[0]]]
    if not len(best):
        return np.zeros((len(features), 1), dtype=np.float32)
    scaled = directions[:, best] / np.sqrt(variances[best])
    return normalize(features @ scaled.astype(np.float32))


def normalize(rows: np.ndarray) -> np.ndarray:
    """Divide rows by their length; rows of zeros stay as they are."""
    norms = np.sqrt(np.einsum('nd,nd->n', rows, rows))[:, None]
    return rows / np.where(norms == 0, 1, norms)
