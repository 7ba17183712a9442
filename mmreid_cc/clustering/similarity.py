"""Inner products of chosen pairs of rows, in one fixed arithmetic."""

from functools import partial
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from .compiled_kernels import kernel
from .parallel import map_row_blocks


def pair_similarities(
    left: np.ndarray, right: np.ndarray, indptr: np.ndarray, indices: np.ndarray
) -> np.ndarray:
    """Compute the similarity of each left row to its own list of right rows.

    Each similarity is summed in float64 and rounded once, so it depends on the two rows
    only. In a matrix product, the last bits of a pair depend on the block that it is
    in.

    Args:
        left (np.ndarray): (N, D) float16 or float32, C-contiguous.
        right (np.ndarray): (M, D), the same dtype, C-contiguous.
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
    map_row_blocks(
        _fill,
        len(left),
        for_kernels(left),
        for_kernels(right),
        indptr,
        indices,
        out,
    )
    return out


def for_kernels(features: np.ndarray) -> np.ndarray:
    """Return features as compiled kernels take them: float16 as its bits in uint16.

    Args:
        features (np.ndarray): (N, D) float16 or float32, or a memory-mapped file.

    Returns:
        np.ndarray: (N, D) uint16 or float32, the same memory; read with :func:`value`.

    Example:
        >>> for_kernels(np.ones((1, 1), dtype=np.float16))
        array([[15360]], dtype=uint16)
    """
    array = np.asarray(features)  # numba does not know memory-mapped files
    return array.view(np.uint16) if array.dtype == np.float16 else array


def value(number: Any) -> Any:
    """Read, in a kernel, a number of :func:`for_kernels` as float32.

    Args:
        number (uint16 | float32): The bits of a float16, or a float32.

    Returns:
        float32: Its value.

    Raises:
        NotImplementedError: If called outside compiled code.

    Example:
        ``total += value(a[d]) * value(b[d])``
    """
    raise NotImplementedError('value() exists in compiled code only.')


@overload(value)
def _value(number: Any) -> Any:
    return _keep if isinstance(number, types.Float) else _widen


def _keep(number: Any) -> Any:
    return number


def _widen(number: Any) -> Any:
    # Exponent and mantissa move to the places of float32, whose bias is 112 more.
    magnitude = np.int32(number & 0x7FFF) << np.int32(13)
    sign = np.int32(number & 0x8000) << np.int32(16)
    return np.int32(magnitude | sign).view(np.float32) * np.float32(2.0**112)


# Products of float32 numbers are exact in float64, so the order of summation, which
# `reassoc` leaves to the compiler, hardly ever shows in the rounded result; it is the
# same for a pair wherever it stands and for (a, b) and (b, a).
@partial(kernel, fastmath={'reassoc'})
def _inner_product(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for d in range(a.shape[0]):
        total += np.float64(value(a[d])) * np.float64(value(b[d]))
    return total


@kernel
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
