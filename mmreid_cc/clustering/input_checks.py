"""Checks and conversions of the arrays and numbers that enter this package."""

from typing import Any

import numpy as np

_ROWS_PER_CHECK = 1024  # so that the mask of finite values stays small
_LENGTH_ERROR = 0.01  # of a row normalised in bfloat16, with room to spare


def to_numpy(array: Any) -> np.ndarray:
    """Return a NumPy array or a tensor of any device as a NumPy array.

    Args:
        array (array): Anything that ``numpy.asarray`` takes, or a torch tensor. One of
            lower precision is converted to float32, for NumPy has no bfloat16.

    Returns:
        np.ndarray: The same values; shares memory where it can.

    Example:
        >>> to_numpy([1, 2])
        array([1, 2])
    """
    if hasattr(array, 'detach'):
        array = array.detach().cpu()
        if array.is_floating_point() and array.itemsize < 4:
            array = array.float()
        array = array.numpy()
    return np.asarray(array)


def as_features(features: Any, name: str = 'features') -> np.ndarray:
    """Check features and convert them to float32, C-contiguous.

    Args:
        features (array): (N, D), floating, N ≥ 1 and D ≥ 1.
        name (str): How the caller calls them, for the error.

    Returns:
        np.ndarray: (N, D) float32.

    Raises:
        TypeError: If the values are not floating-point numbers.
        ValueError: If the shape is another one, or a row holds a value that is not
            finite in float32.

    Example:
        >>> as_features(np.ones((2, 3))).dtype
        dtype('float32')
    """
    return float32(as_large_features(features, name))


def as_large_features(features: Any, name: str = 'features') -> np.ndarray:
    """Check features without a copy of those in half precision or in a file.

    Args:
        features (array): (N, D), floating, N ≥ 1 and D ≥ 1.
        name (str): How the caller calls them, for the error.

    Returns:
        np.ndarray: (N, D), C-contiguous. float16 and float32, in memory or
        memory-mapped, stay as they are; anything else becomes float32.

    Raises:
        TypeError: If the values are not floating-point numbers.
        ValueError: If the shape is another one, or a row holds a value that is not
            finite in float32.

    Example:
        >>> as_large_features(np.ones((2, 3), dtype=np.float16)).dtype
        dtype('float16')
    """
    array = to_numpy(features)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f'{name} must be a 2-D array (N, D) with at least one row and one column, '
            f'got shape {array.shape}.'
        )
    if not np.issubdtype(array.dtype, np.floating):
        raise TypeError(f'{name} must be floating-point numbers, got {array.dtype}.')
    dtype = np.float16 if array.dtype == np.float16 else np.float32
    with np.errstate(over='ignore'):  # becomes inf, which is reported below
        array = np.ascontiguousarray(array, dtype=dtype)
    finite = np.concatenate(
        [
            np.isfinite(array[first : first + _ROWS_PER_CHECK]).all(axis=1)
            for first in range(0, len(array), _ROWS_PER_CHECK)
        ]
    )
    if not finite.all():
        bad = np.flatnonzero(~finite)
        raise ValueError(
            f'{name}: {len(bad)} of {len(array)} rows hold NaN or infinity in float32, '
            f'the first is row {bad[0]}. Has the training diverged?'
        )
    return array


def float32(array: np.ndarray) -> np.ndarray:
    """Convert an array to float32, unless it is that already.

    Args:
        array (np.ndarray): Array of any shape, floating.

    Returns:
        np.ndarray: The same values, C-contiguous; the same memory where it can be.

    Example:
        >>> float32(np.ones(2, dtype=np.float16))
        array([1., 1.], dtype=float32)
    """
    return np.ascontiguousarray(array, dtype=np.float32)


def check_normalized(features: np.ndarray) -> None:
    """Check that rows have the length 1, so that inner products are cosines.

    Args:
        features (np.ndarray): (N, D) floating. Rows of zeros, which have no direction,
            pass, and so does what float16 and bfloat16 leave of the length 1.

    Raises:
        ValueError: If a row has another length.

    Example:
        >>> check_normalized(np.eye(2, dtype=np.float32))
    """
    norms = np.sqrt(np.einsum('nd,nd->n', features, features, dtype=np.float64))
    bad = np.flatnonzero((np.abs(norms - 1) > _LENGTH_ERROR) & (norms > 0))
    if len(bad):
        raise ValueError(
            f'features must be L2-normalised: {len(bad)} of {len(features)} rows do '
            f'not have length 1; the first is row {bad[0]}, of length '
            f'{norms[bad[0]]:.4g}. Divide each row by its norm.'
        )


def as_integers(values: Any, name: str) -> np.ndarray:
    """Check a vector of integers (labels, identities) and convert it to int64.

    Args:
        values (array): (N,) integers.
        name (str): How the caller calls them, for the error.

    Returns:
        np.ndarray: (N,) int64.

    Raises:
        TypeError: If the values are not integers.
        ValueError: If the array is not 1-D.

    Example:
        >>> as_integers([0, -1], 'labels')
        array([ 0, -1])
    """
    array = to_numpy(values)
    if array.ndim != 1:
        raise ValueError(f'{name} must be a 1-D array (N,), got shape {array.shape}.')
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f'{name} must be integers, got {array.dtype}.')
    return array.astype(np.int64)


def as_neighbors(neighbors: Any, n_rows: int, n_columns: int) -> np.ndarray:
    """Check lists of neighbours, as :func:`mmreid_cc.clustering.knn` returns them.

    Args:
        neighbors (array): (n_rows, n_columns) integers: distinct indices in each row,
            the row's own among them.
        n_rows (int): Number of images.
        n_columns (int): Number of neighbours of each.

    Returns:
        np.ndarray: (n_rows, n_columns) int32.

    Raises:
        TypeError: If the values are not integers.
        ValueError: If the shape is another one, or a row is not such a list.

    Example:
        >>> as_neighbors([[0, 1], [1, 0]], n_rows=2, n_columns=2).dtype
        dtype('int32')
    """
    array = to_numpy(neighbors)
    if array.shape != (n_rows, n_columns):
        raise ValueError(
            f'neighbors must have shape ({n_rows}, {n_columns}), one row per image and '
            f'min(k1, N) columns, got {array.shape}.'
        )
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f'neighbors must be integers, got {array.dtype}.')
    if array.min() < 0 or array.max() >= n_rows:
        raise ValueError(
            f'neighbors must lie in 0…{n_rows - 1}, got {array.min()}…{array.max()}.'
        )
    array = np.ascontiguousarray(array, dtype=np.int32)
    holds_itself = (array == np.arange(n_rows, dtype=np.int32)[:, None]).any(axis=1)
    ordered = np.sort(array, axis=1)
    distinct = (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
    if not (holds_itself & distinct).all():
        bad = np.flatnonzero(~(holds_itself & distinct))
        raise ValueError(
            'neighbors must list the image itself and no index twice, as knn() does; '
            f'{len(bad)} of {n_rows} rows do not, the first is row {bad[0]}.'
        )
    return array


def check_count(name: str, value: int, maximum: int | None = None) -> None:
    """Check that a parameter is an integer of at least 1.

    Args:
        name (str): Its name, for the error.
        value (int): Value of the parameter.
        maximum (int | None): The largest value allowed. Defaults to None, no limit.

    Raises:
        ValueError: If it is not.

    Example:
        >>> check_count('k1', 30)
    """
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or value < 1 or (maximum is not None and value > maximum):
        allowed = 'of at least 1' if maximum is None else f'in 1…{maximum}'
        raise ValueError(f'{name} must be an integer {allowed}, got {value!r}.')
