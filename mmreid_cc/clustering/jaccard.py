"""Sparse Jaccard distance between k-reciprocal encodings."""

from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array

from .compiled_kernels import kernel
from .encoding_twins import find_twins, hash_rows
from .input_checks import as_large_features, as_neighbors, check_count, check_normalized
from .knn import knn
from .parallel import join_rows, map_row_blocks, row_pointers
from .reciprocal import encode, expand_queries, half_size, reciprocal_sets
from .similarity import pair_similarities


def jaccard_distance(
    features: Any,
    k1: int = 30,
    k2: int = 6,
    *,
    neighbors: Any = None,
    max_distance: float = 1.0,
) -> csr_array:
    """Compute the Jaccard distance of k-reciprocal neighbourhoods, exact and sparse.

    Time and memory grow with N·k², and not with N², unless many images are copies of
    each other: see :func:`distinct_jaccard_distance`. The neighbours include the image
    itself, as in the public code of the paper, so the full sets use k1 columns and
    the half-size sets round(k1 / 2) + 1.

    Args:
        features (array): (N, D) floating, rows L2-normalised.
        k1 (int): Neighbours of the reciprocal sets, the image itself included.
            Defaults to 30.
        k2 (int): Nearest rows averaged by query expansion, in 1…k1. Defaults to 6.
        neighbors (array | None): (N, min(k1, N)) indices as
            :func:`mmreid_cc.clustering.knn` returns them. Defaults to None: exact
            ones are computed.
        max_distance (float): In (0, 1]; only pairs up to this distance are stored.
            Defaults to 1.0.

    Returns:
        csr_array: (N, N) float32 in [0, 1], symmetric bit for bit, columns ascending.
        Pairs at distance 1 or beyond ``max_distance`` are absent; the zeros of the
        diagonal are stored.

    Raises:
        TypeError: If features are not floating or neighbours not integers.
        ValueError: If an array has another shape, the features are not finite or not
            normalised, the neighbours are no such lists, or a number is out of its
            range.

    Source: Zhong et al., CVPR 2017 (arXiv 1701.08398), equations 5 to 11; as distance
    for pseudo labels in Dai et al., Cluster Contrast (arXiv 2103.11568).

    Example:
        >>> features = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
        >>> jaccard_distance(features, k1=2, k2=1).toarray()
        array([[0., 0., 0.],
               [0., 0., 0.],
               [0., 0., 0.]], dtype=float32)
    """
    check_distance(max_distance)
    encoding = _encoding(features, k1, k2, neighbors)
    diagonal = np.arange(encoding.shape[0])
    return _mirror(jaccard_rows(encoding, diagonal, max_distance))


def distinct_jaccard_distance(
    features: Any,
    k1: int = 30,
    k2: int = 6,
    *,
    neighbors: Any = None,
    max_distance: float = 1.0,
) -> tuple[csr_array, np.ndarray]:
    """Compute the distance of images whose encodings differ.

    Many copies of an image have the same encoding, and all their pairs are at distance
    0: of 100,000 black images, these are 10¹⁰ pairs.

    Args:
        features: See :func:`jaccard_distance`.
        k1: The same.
        k2: The same.
        neighbors: The same.
        max_distance: The same.

    Returns:
        tuple[csr_array, np.ndarray]: (U, U), the distance as :func:`jaccard_distance`
        returns it, of the first image with each encoding; and (N,) int64, which of them
        stands for each image.

    Raises:
        TypeError: See :func:`jaccard_distance`.
        ValueError: The same.

    Example:
        >>> features = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
        >>> distinct_jaccard_distance(features, k1=2, k2=1)[1]
        array([0, 0, 1])
    """
    check_distance(max_distance)
    encoding = _encoding(features, k1, k2, neighbors)
    twins = find_twins(hash_rows(encoding.indptr, encoding.indices, encoding.data))
    first, stands_for = np.unique(twins, return_inverse=True)
    if len(first) < len(twins):
        encoding = encoding[first]
    diagonal = np.arange(len(first))
    return _mirror(jaccard_rows(encoding, diagonal, max_distance)), stands_for


def _encoding(features: Any, k1: int, k2: int, neighbors: Any) -> csr_array:
    features = as_large_features(features)
    check_normalized(features)
    check_count('k1', k1)
    check_count('k2', k2, maximum=k1)
    if neighbors is None:
        neighbors, _ = knn(features, k1)
    neighbors = as_neighbors(neighbors, len(features), min(k1, len(features)))
    indptr, indices = reciprocal_sets(neighbors, half_size(k1))
    return _encoding_of_sets(features, indptr, indices, neighbors[:, :k2])


def _encoding_of_sets(
    features: np.ndarray, indptr: np.ndarray, indices: np.ndarray, nearest: np.ndarray
) -> csr_array:
    similarities = pair_similarities(features, features, indptr, indices)
    encoding = encode(indptr, indices, 2 - 2 * similarities)
    return expand_queries(encoding, nearest) if nearest.shape[1] > 1 else encoding


def jaccard_of_sets(
    features: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    nearest: np.ndarray,
    max_distance: float = 1.0,
) -> csr_array:
    """Compute the Jaccard distance of given neighbourhoods.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous, normalised.
        indptr (np.ndarray): (N + 1,) integers, of sets that hold the image itself.
        indices (np.ndarray): (L,) int32, members of the sets, ascending in each.
        nearest (np.ndarray): (N, k2) int32, the images whose rows query expansion
            averages; negative is none. With k2 = 1 nothing is averaged.
        max_distance (float): In (0, 1]; only pairs up to this distance are stored.

    Returns:
        csr_array: As :func:`jaccard_distance` returns it.

    Example:
        >>> every = np.array([0, 2, 4]), np.array([0, 1, 0, 1], np.int32)
        >>> nearest = np.array([[0], [1]], np.int32)
        >>> jaccard_of_sets(np.eye(2, dtype=np.float32), *every, nearest).nnz
        4
    """
    encoding = _encoding_of_sets(features, indptr, indices, nearest)
    diagonal = np.arange(len(features))
    return _mirror(jaccard_rows(encoding, diagonal, max_distance))


def check_distance(max_distance: float) -> None:
    """Check the largest distance that is wanted.

    Raises:
        ValueError: If it is not in (0, 1].

    Example:
        >>> check_distance(0.6)
    """
    if not 0 < max_distance <= 1:
        raise ValueError(f'max_distance must lie in (0, 1], got {max_distance!r}.')


def jaccard_rows(
    encoding: csr_array,
    first_columns: np.ndarray,
    max_distance: float = 1.0,
) -> csr_array:
    """Compute the first rows of the distance, each from a column of its own on.

    The distance is 1 − m / (2 − m), m = Σ min(V_i, V_j), for rows that sum to 1.

    Args:
        encoding (csr_array): (N, M) float32, rows of weights that sum to 1.
        first_columns (np.ndarray): (R,) int64, R ≤ N; row i of the result starts at
            column ``first_columns[i]``.
        max_distance (float): In (0, 1]; only pairs up to this distance are stored.

    Returns:
        csr_array: (R, N) float32, columns ascending. Pairs at distance 1 or
        beyond ``max_distance`` are absent.

    Example:
        >>> jaccard_rows(csr_array(np.eye(2, dtype=np.float32)), np.array([0])).nnz
        1
    """
    rows = np.arange(len(first_columns))
    return distance_rows(encoding, encoding.tocsc(), rows, first_columns, max_distance)


def distance_rows(
    encoding: csr_array,
    columns: csc_array,
    rows: np.ndarray,
    first_columns: np.ndarray,
    max_distance: float = 1.0,
) -> csr_array:
    """Compute some rows of the distance from the columns of the encoding.

    Args:
        encoding (csr_array): (R', M) float32, rows of weights that sum to 1; the first
            R of them are compared.
        columns (csc_array): (N, M) float32, all the entries of the columns that these
            rows have.
        rows (np.ndarray): (R,) integers in 0…N − 1, which rows they are.
        first_columns (np.ndarray): (R,) int64; row i of the result starts at column
            ``first_columns[i]``.
        max_distance (float): In (0, 1]; only pairs up to this distance are stored.

    Returns:
        csr_array: (R, N) float32, as :func:`jaccard_rows` returns it.

    Example:
        >>> eye = csr_array(np.eye(2, dtype=np.float32))
        >>> distance_rows(eye[1:], eye.tocsc(), np.array([1]), np.array([0])).indices
        array([1], dtype=int32)
    """
    n_rows = columns.shape[0]
    blocks = map_row_blocks(
        _distances,
        len(rows),
        rows,
        first_columns,
        n_rows,
        np.float32(max_distance),
        encoding.indptr,
        encoding.indices,
        encoding.data,
        columns.indptr,
        columns.indices,
        columns.data,
        stage='distance',
    )
    indptr, indices, data = join_rows(blocks)
    return csr_array((data, indices, indptr), shape=(len(rows), n_rows))


@kernel
def _distances(
    first: int,
    last: int,
    rows: np.ndarray,
    first_columns: np.ndarray,
    n: int,
    max_distance: float,
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    column_indptr: np.ndarray,
    column_rows: np.ndarray,
    column_data: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    common = np.empty(n, dtype=np.float32)  # Σ min of row i with each row it meets
    seen = np.full(n, -1, dtype=np.int32)
    met = np.empty(n, dtype=np.int32)
    most = 0
    for i in range(first, last):
        for c in indices[indptr[i] : indptr[i + 1]]:
            most += column_indptr[c + 1] - column_indptr[c]
    kept = np.empty(most, dtype=np.int32)
    distances = np.empty(most, dtype=np.float32)
    sizes = np.empty(last - first, dtype=np.int64)
    end = 0
    for i in range(first, last):
        n_met = 0
        for p in range(indptr[i], indptr[i + 1]):
            c, weight = indices[p], data[p]
            low, high = column_indptr[c], column_indptr[c + 1]
            low = _lower_bound(column_rows, low, high, first_columns[i])
            for q in range(low, high):
                j = column_rows[q]
                if seen[j] == i:
                    common[j] += min(weight, column_data[q])
                else:
                    seen[j] = i
                    common[j] = min(weight, column_data[q])
                    met[n_met] = j
                    n_met += 1
        start = end
        for j in met[:n_met]:
            # In float32, as the public code computes it.
            distance = np.float32(1) - common[j] / (np.float32(2) - common[j])
            common[j] = np.float32(0) if j == rows[i] else max(distance, np.float32(0))
            if common[j] <= max_distance and common[j] < 1:
                kept[end] = j
                end += 1
        kept[start:end].sort()
        for p in range(start, end):
            distances[p] = common[kept[p]]
        sizes[i - first] = end - start
    return sizes, kept[:end].copy(), distances[:end].copy()


@kernel
def _lower_bound(values: np.ndarray, low: int, high: int, value: int) -> int:
    """Find the first position in low…high whose value is not below the given one."""
    while low < high:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def _mirror(upper: csr_array) -> csr_array:
    """Complete an upper triangle with a full diagonal to the symmetric matrix."""
    n = upper.shape[0]
    sizes = np.diff(upper.indptr) + np.bincount(upper.indices, minlength=n) - 1
    indptr = row_pointers(sizes)
    indices = np.empty(indptr[-1], dtype=np.int32)
    data = np.empty(indptr[-1], dtype=np.float32)
    _fill_mirrored(
        upper.indptr, upper.indices, upper.data, indptr[:-1].copy(), indices, data
    )
    return csr_array((data, indices, indptr), shape=upper.shape)


@kernel
def _fill_mirrored(
    indptr: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    free: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
) -> None:
    # When row i is reached, all its entries left of the diagonal are in place.
    for i in range(len(free)):
        for p in range(indptr[i], indptr[i + 1]):
            j = columns[p]
            indices[free[i]], data[free[i]] = j, values[p]
            free[i] += 1
            if j != i:
                indices[free[j]], data[free[j]] = i, values[p]
                free[j] += 1
