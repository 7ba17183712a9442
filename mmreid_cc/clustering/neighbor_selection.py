"""Selection of the nearest among proposed or all rows, in one fixed arithmetic."""

import numpy as np

from .input_checks import float32
from .parallel import row_pointers
from .similarity import pair_similarities

_ROWS_PER_BLOCK = 4096
_ROWS_PER_CONVERSION = 65536  # of half precision at once
_SCAN_VALUES = 2**24  # similarities held at once while a row is scanned, 64 MB


def rank_candidates(
    features: np.ndarray, rows: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keep each row itself and its k − 1 most similar candidates.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        rows (np.ndarray): (R,) integers.
        candidates (np.ndarray): (R, K) integers, K ≥ k, distinct in each row, the row
            itself among them; negative is none, after k others.
        k (int): Number of neighbours.

    Returns:
        tuple[np.ndarray, np.ndarray, np.ndarray]: Indices (R, k) int64 and similarities
        (R, k) float32, best first, ties by index; and (R,) float32, the similarity of
        the last that was kept, infinity where that is the row itself.

    Example:
        >>> features = np.eye(3, dtype=np.float32)
        >>> rank_candidates(features, np.array([1]), np.array([[2, 1, 0]]), k=2)[0]
        array([[1, 0]])
    """
    similarities = pair_similarities(
        features[rows],
        features,
        row_pointers(np.full(len(rows), candidates.shape[1])),
        np.maximum(candidates, 0).ravel().astype(np.int32),
    ).reshape(candidates.shape)
    keys = np.where(candidates == rows[:, None], np.inf, similarities)
    keys[candidates < 0] = -np.inf
    best = np.lexsort((candidates, -keys))[:, :k]
    last = np.take_along_axis(keys, best[:, -1:], axis=1)[:, 0]
    candidates = np.take_along_axis(candidates, best, axis=1)
    similarities = np.take_along_axis(similarities, best, axis=1)
    order = np.lexsort((candidates, -similarities))
    return (
        np.take_along_axis(candidates, order, axis=1).astype(np.int64),
        np.take_along_axis(similarities, order, axis=1),
        last,
    )


def rank_proposals(
    features: np.ndarray, rows: np.ndarray, proposals: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Turn the proposals of an approximate search into lists of neighbours.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        rows (np.ndarray): (R,) integers.
        proposals (np.ndarray): (R, K) integers, distinct in each row; −1 is none. The
            row itself need not be among them.
        k (int): Number of neighbours, in 1…N. A row with fewer proposals is compared
            with all rows.

    Returns:
        tuple[np.ndarray, np.ndarray]: Indices (R, k) int64 and similarities (R, k)
        float32, best first, ties by index.

    Example:
        >>> proposals = np.array([[2, 0]], dtype=np.int32)
        >>> rank_proposals(np.eye(3, dtype=np.float32), np.array([1]), proposals, 2)[0]
        array([[1, 0]])
    """
    indices = np.empty((len(rows), k), dtype=np.int64)
    similarities = np.empty((len(rows), k), dtype=np.float32)
    others = np.where(proposals == rows[:, None], -1, proposals)
    few = (others >= 0).sum(axis=1) < k - 1
    enough = np.flatnonzero(~few)
    for first in range(0, len(enough), _ROWS_PER_BLOCK):
        block = enough[first : first + _ROWS_PER_BLOCK]
        candidates = np.concatenate([rows[block, None], others[block]], axis=1)
        indices[block], similarities[block], _ = rank_candidates(
            features, rows[block], candidates, k
        )
    everything = np.full(few.sum(), -np.inf)
    indices[few], similarities[few] = scan(features, rows[few], k, everything)
    return indices, similarities


def scan(
    features: np.ndarray, rows: np.ndarray, k: int, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the neighbours of some rows among all that may reach their threshold.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        rows (np.ndarray): (R,) integers.
        k (int): Number of neighbours, in 1…N.
        thresholds (np.ndarray): (R,) floating; at least k − 1 others have a float32
            product with the row that reaches it.

    Returns:
        tuple[np.ndarray, np.ndarray]: Indices (R, k) int64 and similarities (R, k)
        float32, best first, ties by index.

    Example:
        >>> scan(np.eye(3, dtype=np.float32), np.array([1]), 2, np.array([-1.0]))[0]
        array([[1, 0]])
    """
    indices = np.empty((len(rows), k), dtype=np.int64)
    similarities = np.empty((len(rows), k), dtype=np.float32)
    step = max(1, _SCAN_VALUES // len(features))
    for first in range(0, len(rows), step):
        products = _products(float32(features[rows[first : first + step]]), features)
        for i, product in enumerate(products, start=first):
            near = product >= thresholds[i]
            near[rows[i]] = True
            candidates = np.flatnonzero(near)
            row = slice(i, i + 1)
            indices[row], similarities[row], _ = rank_candidates(
                features, rows[row], candidates[None], k
            )
    return indices, similarities


def _products(queries: np.ndarray, features: np.ndarray) -> np.ndarray:
    if features.dtype == np.float32:
        return queries @ features.T
    parts = range(0, len(features), _ROWS_PER_CONVERSION)
    return np.concatenate(
        [queries @ float32(features[p : p + _ROWS_PER_CONVERSION]).T for p in parts],
        axis=1,
    )
