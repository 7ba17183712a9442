"""Rows of an encoding that are the same, as those of copies of an image."""

from typing import Any

import numpy as np

from .compiled_kernels import kernel


@kernel
def hash_rows(
    indptr: np.ndarray, indices: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Hash the rows of a sparse matrix.

    Args:
        indptr (np.ndarray): (N + 1,) integers, the rows of:
        indices (np.ndarray): (L,) int32, columns, ascending in each row,
        weights (np.ndarray): (L,) float32.

    Returns:
        np.ndarray: (N, 2) uint64; equal rows have equal hashes, and others do not, but
        for a chance of 2⁻¹²⁸ for each pair.

    Source: the mixing function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).

    Example:
        >>> encoding = csr_array(np.ones((2, 3), np.float32))
        >>> first, second = hash_rows(encoding.indptr, encoding.indices, encoding.data)
        >>> (first == second).all()
        True
    """
    bits = weights.view(np.uint32)
    hashes = np.empty((len(indptr) - 1, 2), dtype=np.uint64)
    for i in range(len(hashes)):
        one, other = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
        for p in range(indptr[i], indptr[i + 1]):
            entry = (np.uint64(indices[p]) << np.uint64(32)) | np.uint64(bits[p])
            one = _mixed(one ^ entry)
            other = _mixed(other * np.uint64(0xD1342543DE82EF95) + entry)
        hashes[i] = one, other
    return hashes


@kernel
def _mixed(value: Any) -> Any:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def find_twins(hashes: np.ndarray) -> np.ndarray:
    """Find for each row the first one with the same encoding.

    Rows with the same encoding have the same distances to all rows, so these are
    computed for the first one only. For 100,000 copies of an image, this saves 10¹⁰
    pairs.

    Args:
        hashes (np.ndarray): (N, 2) uint64, from :func:`hash_rows`.

    Returns:
        np.ndarray: The first row with the same encoding, (N,) int32.

    Example:
        >>> find_twins(np.array([[7, 1], [3, 2], [7, 1]], dtype=np.uint64))
        array([0, 1, 0], dtype=int32)
    """
    order = np.lexsort((hashes[:, 1], hashes[:, 0]))  # stable: the first comes first
    ordered = hashes[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    twins = np.empty(len(order), dtype=np.int32)
    twins[order] = order[new][np.cumsum(new) - 1]
    return twins
