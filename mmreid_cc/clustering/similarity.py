"""Inner products of chosen pairs of rows, in one fixed arithmetic."""

import numpy as np
from numba import njit

from .parallel import map_row_blocks


# Products of float32 numbers are exact in float64, so the order of summation, which
# `reassoc` leaves to the compiler, hardly ever shows in the rounded result; it is the
# same for a pair wherever it stands and for (a, b) and (b, a).
@njit(nogil=True, cache=True, fastmath={'reassoc'})
def _inner_product(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for d in range(a.shape[0]):
        total += np.float64(a[d]) * np.float64(b[d])
    return total


@njit(nogil=True, cache=True)
def _fill(
    first: int,
    last: int,
    left: np.ndarray,
    right: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    out: np.ndarray,
) -> None:
    for i in range(first, last):
        for p in range(indptr[i], indptr[i + 1]):
            out[p] = _inner_product(left[i], right[indices[p]])


def pair_similarities(
    left: np.ndarray, right: np.ndarray, indptr: np.ndarray, indices: np.ndarray
) -> np.ndarray:
    """Compute the similarity of each left row to its own list of right rows.

    Each is summed in float64 and rounded once, so it depends on the two rows only: a
    matrix product gives the same pair other last bits in other blocks.

    Args:
        left (np.ndarray): (N, D) float32.
        right (np.ndarray): (M, D) float32.
        indptr (np.ndarray): (N + 1,) integers; the list of row i is
            ``indices[indptr[i]:indptr[i + 1]]``.
        indices (np.ndarray): (L,) int32, rows of ``right``.

    Returns:
        np.ndarray: (L,) float32 inner products.

    Example:
        >>> eye = np.eye(2, dtype=np.float32)
        >>> pair_similarities(
        ...     eye, eye, np.array([0, 1, 2]), np.array([0, 0], np.int32))
        array([1., 0.], dtype=float32)
    """
    out = np.empty(len(indices), dtype=np.float32)
    map_row_blocks(_fill, len(left), left, right, indptr, indices, out)
    return out
