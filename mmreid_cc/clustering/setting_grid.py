"""Settings of DBSCAN that are worth trying, and how their scores are smoothed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Settings = dict[str, Any]

_K1 = (2, 3, 4, 6, 8, 10, 15, 20, 30)
# None is a value that many pairs share, see is_tied of dbscan.py.
_EPS = (0.35, 0.45, 0.53, 0.6, 0.68, 0.76)
_MIN_SAMPLES = (2, 4)
_SHARE = 2  # of the images, which lists of neighbours do not exceed


def default_grid(n_rows: int) -> list[Settings]:
    """Return settings of DBSCAN that are worth trying for a number of images.

    Args:
        n_rows (int): Number of images.

    Returns:
        list[dict]: Each of ``eps``, ``min_samples``, ``k1`` and ``k2``, a fifth of
        ``k1``. Lists of neighbours are at most half of the images.

    Example:
        >>> len(default_grid(8)), len(default_grid(1000))
        (36, 108)
    """
    longest = max(_K1[0], n_rows // _SHARE)
    return [
        dict(eps=eps, min_samples=min_samples, k1=k1, k2=max(1, round(k1 / 5)))
        for k1 in _K1
        if k1 <= longest
        for eps in _EPS
        for min_samples in _MIN_SAMPLES
    ]


def smoothed(settings: Sequence[Settings], scores: np.ndarray) -> np.ndarray:
    """Average the score of each setting with those of the next smaller and larger eps.

    If the neighbours of a setting have low scores, its own high score is due to chance.

    Args:
        settings (Sequence[dict]): Settings with ``eps``, ``min_samples``, ``k1`` and
            ``k2``.
        scores (np.ndarray): (S,) of each.

    Returns:
        np.ndarray: (S,) means, weighted 2 for the setting itself and 1 for the next.

    Example:
        >>> grid = [dict(eps=eps, min_samples=2, k1=3, k2=1) for eps in (0.4, 0.5, 0.6)]
        >>> smoothed(grid, np.array([0.0, 0.4, 0.4])).round(3)
        array([0.133, 0.3  , 0.4  ])
    """
    ranks = {eps: i for i, eps in enumerate(sorted({s['eps'] for s in settings}))}
    eps = np.array([ranks[s['eps']] for s in settings])
    rest = np.array([[s['min_samples'], s['k1'], s['k2']] for s in settings])
    weights = np.maximum(2 - np.abs(eps[:, None] - eps), 0)
    weights = weights * (rest[:, None] == rest).all(axis=2)
    return weights @ scores / weights.sum(axis=1)
