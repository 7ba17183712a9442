"""The centroids of clusters."""

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .input_checks import as_features, as_integers, to_numpy


def cluster_centroids(features: Any, labels: Any) -> np.ndarray:
    """Compute the L2-normalised mean of the features of each cluster.

    Args:
        features (array): (N, D) floating, rows L2-normalised.
        labels (array): (N,) integers 0…C−1 with at least one image each; −1, the
            un-clustered, are left out.

    Returns:
        np.ndarray: (C, D) float32, float64 for float64 features; (0, D) without
        clusters. A centroid whose features cancel out stays zero.

    Raises:
        TypeError: If features are not floating or labels not integers.
        ValueError: If the shapes do not fit, or a cluster has no image.

    Source: Dai et al., Cluster Contrast (arXiv 2103.11568), initialisation of the
    cluster memory.

    Example:
        >>> cluster_centroids(np.eye(3), [0, 1, -1])
        array([[1., 0., 0.],
               [0., 1., 0.]])
    """
    given, features = to_numpy(features), as_features(features)
    if given.dtype == np.float64:
        features = given
    labels = as_integers(labels, 'labels')
    if len(labels) != len(features):
        raise ValueError(f'{len(labels)} labels do not fit {len(features)} features.')
    members = np.flatnonzero(labels >= 0)
    sizes = np.bincount(labels[members])
    if not sizes.all():
        raise ValueError(
            f'labels must be 0…C−1 without a gap, but of {len(sizes)} clusters '
            f'{(sizes == 0).sum()} have no image, the first is '
            f'{np.flatnonzero(sizes == 0)[0]}.'
        )
    weights = (1 / sizes[labels[members]]).astype(features.dtype)
    means = (
        csr_array((weights, (labels[members], members)), (len(sizes), len(features)))
        @ features
    )
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    return means / np.where(norms == 0, 1, norms)
