"""Distances between query and gallery, some rows at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CHUNK_BYTES = 64 * 2**20


def cosine_distance_chunks(
    query_features: NDArray[np.float32], gallery_features: NDArray[np.float32]
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield the rows of 2 − 2·cos, the squared distance of L2-normalised features.

    Normalisation is inside and copies no features: the gallery's norms divide the
    product.

    Args:
        query_features (np.ndarray): (Q, D) float32, finite, of any length but zero.
        gallery_features (np.ndarray): (G, D) float32, likewise.

    Yields:
        tuple[slice, np.ndarray]: The next queries, as many as fit into ``CHUNK_BYTES``
        but one at least, and their distances (n, G), float32 in [0, 4] up to rounding.
        The array is the caller's to change.

    Raises:
        ValueError: If the numbers of columns differ, or a feature is zero.

    Example:
        >>> list(cosine_distance_chunks(np.float32([[1, 0]]), np.float32([[0, 5]])))
        [(slice(0, 1, None), array([[2.]], dtype=float32))]
    """
    if query_features.shape[1] != gallery_features.shape[1]:
        raise ValueError(
            f'query_features have {query_features.shape[1]} columns, gallery_features '
            f'{gallery_features.shape[1]}; both must come from one model.'
        )
    query_norms = _norms(query_features, 'query_features')
    scale = -2 / _norms(gallery_features, 'gallery_features')
    row_bytes = gallery_features.itemsize * len(gallery_features)
    for rows in _row_slices(len(query_features), row_bytes):
        queries = query_features[rows] / query_norms[rows, None]
        distances = queries @ gallery_features.T
        distances *= scale
        distances += 2
        yield rows, distances


def given_distance_chunks(distance: NDArray) -> Iterator[tuple[slice, NDArray]]:
    """Yield the rows of a distance matrix as copies.

    Args:
        distance (np.ndarray): (Q, G), finite.

    Yields:
        tuple[slice, np.ndarray]: The next queries, as many as fit into ``CHUNK_BYTES``
        but one at least, and their distances (n, G), float32 or, for types that
        float32 cannot hold, float64. The array is the caller's to change.

    Raises:
        ValueError: If a value is NaN or infinite.

    Example:
        >>> list(given_distance_chunks(np.array([[3, 1]], dtype=np.int8)))
        [(slice(0, 1, None), array([[3., 1.]], dtype=float32))]
    """
    dtype = np.result_type(distance.dtype, np.float32)
    for rows in _row_slices(len(distance), dtype.itemsize * distance.shape[1]):
        distances = distance[rows].astype(dtype, order='C')
        if not np.isfinite(distances).all():
            raise ValueError(
                'distance holds NaN or infinite values; every pair needs a finite one. '
                'To leave a gallery image out, give it the pid −1.'
            )
        yield rows, distances


def _row_slices(rows: int, row_bytes: int) -> Iterator[slice]:
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def _norms(features: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    squares = np.einsum('ij,ij->i', features, features, dtype=np.float64)
    norms = np.sqrt(squares).astype(np.float32)
    zero = norms == 0
    if zero.any():
        raise ValueError(
            f'{zero.sum()} of {len(norms)} rows of {name} are zero (the first is row '
            f'{zero.argmax()}) and have no direction to compare. Has the training '
            'collapsed?'
        )
    return norms
