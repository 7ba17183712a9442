"""Judging many clusterings, each by dimensions that it has not seen."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from .silhouette import MOST_JUDGED, centroid_silhouette, split_dimensions, whiten

_IMAGES_FOR_SPLITS = 30_000  # more images make one split as sure as several
MOST_SPLITS = 5
_FEWEST_SPLITS = 1
_LEAST_SCORE = 0.01  # what chance gives stays below it
_SURE = 3.0  # standard errors


def judge_by_halves(
    features: np.ndarray,
    n_settings: int,
    seed: int,
    cluster: Callable[[np.ndarray, Any], Iterator[tuple[int, Any]]],
    view: Callable[[np.ndarray], np.ndarray] = lambda half: half,
    most_splits: int = MOST_SPLITS,
) -> tuple[np.ndarray, np.ndarray]:
    """Cluster by one half of the dimensions, and judge by the other, several times.

    Args:
        features (np.ndarray): (N, D) float32, L2-normalised.
        n_settings (int): S, ways to cluster.
        seed (int): Seed of the splits, and of the images that are judged.
        cluster (Callable): As :func:`sweep`, from a half and ``then``.
        view (Callable): What is done with a half before it is whitened to judge.
            Defaults to nothing.
        most_splits (int): Splits of the dimensions; one where there are many images.
            Defaults to 5.

    Returns:
        tuple[np.ndarray, np.ndarray]: (S, R) float64, the silhouettes of the images
        that are judged, and (H, S, N) int32, the labels by each half of each split.

    Example:
        >>> silhouettes, labels = judge_by_halves(features, 108, 0, cluster)
        >>> silhouettes.shape, labels.shape
        ((108, 2000), (10, 108, 3858))
    """
    n_rows = len(features)
    n_splits = min(max(_IMAGES_FOR_SPLITS // n_rows, _FEWEST_SPLITS), most_splits)
    rows = np.random.default_rng([seed, n_rows]).permutation(n_rows)[:MOST_JUDGED]
    silhouettes = np.zeros((n_settings, len(rows)), dtype=np.float64)
    labels = np.empty((2 * n_splits, n_settings, n_rows), dtype=np.int32)
    for split in range(n_splits):
        halves = split_dimensions(features, seed * MOST_SPLITS + split)
        judges = [whiten(view(half)) for half in halves]
        for k, half in enumerate(halves):
            found = labels[2 * split + k]
            judge = judges[1 - k]

            def judged(
                result: tuple[int, np.ndarray],
                found: np.ndarray = found,
                judge: np.ndarray = judge,
            ) -> tuple[int, np.ndarray]:
                found[result[0]] = result[1]
                return result[0], centroid_silhouette(judge, result[1], rows)

            # For hundreds of small products, threads of BLAS cost more than they gain.
            with threadpool_limits(1, user_api='blas'):
                for i, values in cluster(half, judged):
                    silhouettes[i] += values / (2 * n_splits)
    return silhouettes, labels


def means_and_errors(silhouettes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over images of each setting, and its standard error.

    Example:
        >>> means_and_errors(np.array([[0.5, 0.5], [0.0, 1.0]]))[0]
        array([0.5, 0.5])
    """
    errors = silhouettes.std(axis=1) / np.sqrt(silhouettes.shape[1])
    return silhouettes.mean(axis=1), errors


def least_score(error: float) -> float:
    """Return the smallest mean silhouette that chance does not reach.

    Args:
        error (float): Standard error of the mean.

    Returns:
        float: Three of them, 0.01 at least.

    Example:
        >>> least_score(0.001)
        0.01
    """
    return max(_LEAST_SCORE, _SURE * error)
