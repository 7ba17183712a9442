"""The share of the true neighbours that an approximate search has found."""

from typing import Any

import numpy as np

from .exact import exact_neighbors
from .input_checks import as_large_features, check_count, to_numpy


def neighbor_recall(features: Any, similarities: Any, *, n_rows: int = 1000) -> float:
    """Estimate the recall of lists of neighbours by exact search for some rows.

    A neighbour counts as true if it is at least as similar as the last one of the
    exact list, so it does not matter which of several copies of an image is listed.

    Args:
        features (array): (N, D) floating, as they were given to ``knn``.
        similarities (array): (N, k) float32, as ``knn`` returned them.
        n_rows (int): Rows that are searched for exactly, drawn at random from a fixed
            seed. Defaults to 1000, for a standard error of about 0.5 %.

    Returns:
        float: Mean share of the k true neighbours, in [0, 1].

    Raises:
        TypeError: If the features are not floating-point numbers.
        ValueError: If shapes do not fit, or n_rows is below 1.

    Example:
        >>> features = np.eye(4, dtype=np.float32)
        >>> neighbor_recall(features, knn(features, k=2, method='ivf')[1])
        1.0
    """
    features = as_large_features(features)
    similarities = to_numpy(similarities)
    if similarities.ndim != 2 or len(similarities) != len(features):
        raise ValueError(
            f'similarities must have shape ({len(features)}, k), one row per image, '
            f'got {similarities.shape}.'
        )
    check_count('n_rows', n_rows)
    rng = np.random.default_rng(0)
    n_rows = min(n_rows, len(features))
    rows = np.sort(rng.choice(len(features), n_rows, replace=False))
    _, exact = exact_neighbors(features, rows, similarities.shape[1], stage='recall')
    return float((similarities[rows] >= exact[:, -1:]).mean())
