"""Whitening of features by the differences within tracks."""

import numpy as np
from scipy.linalg import eigh

from .track_pooling import weighted_means

_ROWS = 1 << 16  # at once


def whiten_tracks(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Reduce the weight of the directions in which the images of a track differ.

    The images of a track show one person, so they differ in pose, light and background.
    Features are multiplied by the inverse root of the covariance within tracks, and
    normalised. The mean of its eigenvalues is added to each of them, so that no
    direction is amplified without limit.

    Args:
        features (np.ndarray): (N, D) float32, rows L2-normalised.
        groups (np.ndarray): (N,) integers 0…T−1, each of them in use: the tracks.

    Returns:
        np.ndarray: (N, D) float32, rows L2-normalised; the features themselves if all
        images of each track are equal.

    Source: Hatch, Kajarekar and Stolcke, Within-class covariance normalization for
    SVM-based speaker recognition, Interspeech 2006.

    Example:
        >>> features = np.float32([[0.6, 0.8], [0.6, -0.8], [0.8, 0.6], [0.8, -0.6]])
        >>> whiten_tracks(features, np.array([0, 0, 1, 1])).round(1)
        array([[ 0.8,  0.6],
               [ 0.8, -0.6],
               [ 0.9,  0.4],
               [ 0.9, -0.4]], dtype=float32)
    """
    count = int(groups.max()) + 1
    means = weighted_means(features, groups, np.ones(len(features)), count)
    covariance = np.zeros((features.shape[1], features.shape[1]))
    for first in range(0, len(features), _ROWS):
        block = slice(first, first + _ROWS)
        within = features[block] - means[groups[block]]
        covariance += within.T @ within / len(features)
    variances, directions = eigh(covariance)
    mean = variances.mean()
    if not mean > 0:
        return features
    scales = 1 / np.sqrt(np.maximum(variances, 0) + mean)
    whitened = features @ (directions * scales @ directions.T)
    norms = np.linalg.norm(whitened, axis=1, keepdims=True)
    return (whitened / np.where(norms == 0, 1, norms)).astype(np.float32)
