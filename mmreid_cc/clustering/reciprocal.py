"""k-reciprocal encoding: each image as a sparse row of weights on its neighbours.

Source: Zhong et al., Re-ranking Person Re-identification with k-reciprocal Encoding,
CVPR 2017 (arXiv 1701.08398), sections 3.2 to 3.4.
"""

import numpy as np
from scipy.sparse import csr_array

from .compiled_kernels import kernel
from .parallel import join_rows, map_row_blocks


def half_size(k1: int) -> int:
    """Return how many neighbours the half-size sets are taken from.

    Args:
        k1 (int): Number of neighbours of the full sets.

    Returns:
        int: round(k1 / 2) + 1, halves to the even number, as in the public code.

    Example:
        >>> half_size(30), half_size(15), half_size(21)
        (16, 9, 11)
    """
    return round(k1 / 2) + 1


def reciprocal_sets(neighbors: np.ndarray, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the expanded k-reciprocal set of every image (section 3.2).

    R(i) holds the neighbours of i that have i among theirs. The half-size set Rh(c)
    of each c in R(i) joins it where 3·|R(i) ∩ Rh(c)| > 2·|Rh(c)|.

    Args:
        neighbors (np.ndarray): (N, K) int32, distinct in each row and with the row
            itself among them. R uses all columns.
        half (int): Rh uses so many columns (all, where there are fewer).

    Returns:
        tuple[np.ndarray, np.ndarray]: ``indptr`` (N + 1,) and ``indices`` (L,)
        int32: the members of set i are ``indices[indptr[i]:indptr[i + 1]]``, ascending.

    Example:
        >>> neighbors = np.array([[0, 1], [1, 0], [2, 0]], np.int32)
        >>> reciprocal_sets(neighbors, half=1)
        (array([0, 2, 4, 5], dtype=int32), array([0, 1, 0, 1, 2], dtype=int32))
    """
    everyone = np.arange(len(neighbors))
    full = mutual_neighbors(everyone, neighbors, neighbors)
    small = mutual_neighbors(everyone, neighbors[:, :half], neighbors[:, :half])
    return expand_sets(*full, *small)


def mutual_neighbors(
    rows: np.ndarray, lists: np.ndarray, neighbors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the neighbours of some images that have the image among theirs.

    Args:
        rows (np.ndarray): (R,) integers in 0…N − 1, the images.
        lists (np.ndarray): (R, K) int32, their neighbours, in 0…N − 1.
        neighbors (np.ndarray): (N, K) int32; only the rows that are listed are read.

    Returns:
        tuple[np.ndarray, np.ndarray]: Members (R, K) int32, in the order of the lists,
        of which the first sizes (R,) int64 of a row count.

    Example:
        >>> neighbors = np.array([[0, 1], [1, 0], [2, 0]], np.int32)
        >>> mutual_neighbors(np.array([2]), neighbors[2:], neighbors)[1]
        array([1])
    """
    lists = np.ascontiguousarray(lists)
    members = np.empty_like(lists)
    sizes = np.empty(len(lists), dtype=np.int64)
    map_row_blocks(
        _keep_mutual,
        len(lists),
        rows,
        lists,
        np.ascontiguousarray(neighbors),
        members,
        sizes,
        stage='mutual neighbours',
    )
    return members, sizes


def expand_sets(
    full: np.ndarray,
    full_sizes: np.ndarray,
    small: np.ndarray,
    small_sizes: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Let the half-size sets of their members join the reciprocal sets.

    Args:
        full (np.ndarray): (R, K) int32, R(i) of some images, in 0…N − 1, as
            :func:`mutual_neighbors` returns them.
        full_sizes (np.ndarray): (R,) int64.
        small (np.ndarray): (N, K') int32, Rh; only those of members are read.
        small_sizes (np.ndarray): (N,) int64.

    Returns:
        tuple[np.ndarray, np.ndarray]: As :func:`reciprocal_sets` returns them, (R + 1,)
        and (L,).

    Example:
        >>> full, small = np.array([[0, 1]], np.int32), np.array([[0], [1]], np.int32)
        >>> expand_sets(full, np.array([2]), small, np.array([1, 1]))[1]
        array([0, 1], dtype=int32)
    """
    blocks = map_row_blocks(
        _expand,
        len(full),
        full,
        full_sizes,
        small,
        small_sizes,
        stage='reciprocal sets',
    )
    indptr, indices = join_rows(blocks)
    return indptr, indices


def encode(indptr: np.ndarray, indices: np.ndarray, distances: np.ndarray) -> csr_array:
    """Weigh the members of each set by exp(−distance), normalised to the sum 1.

    Args:
        indptr (np.ndarray): (N + 1,) integers, of non-empty sets.
        indices (np.ndarray): (L,) int32, members of the sets, ascending in each.
        distances (np.ndarray): (L,) float32, between each image and the member.

    Returns:
        csr_array: (N, N) float32, one row of weights per image (equation 7 of the
        paper, and the normalisation of its public code).

    Example:
        >>> encode(np.array([0, 2, 3]), np.array([0, 1, 1]), np.zeros(3)).toarray()
        array([[0.5, 0.5],
               [0. , 1. ]], dtype=float32)
    """
    n_rows = len(indptr) - 1
    weights = weigh(indptr, distances)
    return csr_array((weights, indices, indptr), shape=(n_rows, n_rows))


def weigh(indptr: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """The weights of :func:`encode`, each row for itself.

    Args:
        indptr (np.ndarray): (R + 1,) integers, of non-empty sets.
        distances (np.ndarray): (L,) float32, between each image and the member.

    Returns:
        np.ndarray: (L,) float32.

    Example:
        >>> weigh(np.array([0, 2, 3]), np.zeros(3, np.float32))
        array([0.5, 0.5, 1. ], dtype=float32)
    """
    starts, sizes = indptr[:-1], np.diff(indptr)
    nearest = np.minimum.reduceat(distances, starts)
    weights = np.exp(np.repeat(nearest, sizes) - distances, dtype=np.float64)
    weights /= np.repeat(np.add.reduceat(weights, starts), sizes)
    return weights.astype(np.float32)


def expand_queries(encoding: csr_array, nearest: np.ndarray) -> csr_array:
    """Replace each row by the mean of the rows of its nearest images (section 3.4).

    Args:
        encoding (csr_array): (N, M) float32, as :func:`encode` returns it.
        nearest (np.ndarray): (R, k2) int32, the images whose rows are averaged;
            negative is none.

    Returns:
        csr_array: (R, M) float32, columns ascending in each row. The rows are added in
        the order of ``nearest``, so equal lists give bit-equal rows.

    Example:
        >>> encoding = csr_array(np.eye(2, dtype=np.float32))
        >>> expand_queries(encoding, np.array([[0, 1], [1, 0]], np.int32)).toarray()
        array([[0.5, 0.5],
               [0.5, 0.5]], dtype=float32)
    """
    blocks = map_row_blocks(
        _mean_rows,
        len(nearest),
        np.ascontiguousarray(nearest),
        encoding.indptr,
        encoding.indices,
        encoding.data,
        encoding.shape[1],
        stage='query expansion',
    )
    indptr, indices, data = join_rows(blocks)
    shape = len(nearest), encoding.shape[1]
    return csr_array((data, indices, indptr), shape=shape)


@kernel
def _keep_mutual(
    first: int,
    last: int,
    rows: np.ndarray,
    lists: np.ndarray,
    neighbors: np.ndarray,
    members: np.ndarray,
    sizes: np.ndarray,
) -> None:
    for i in range(first, last):
        size = 0
        for j in lists[i]:
            for back in neighbors[j]:
                if back == rows[i]:
                    members[i, size] = j
                    size += 1
                    break
        sizes[i] = size


@kernel
def _expand(
    first: int,
    last: int,
    full: np.ndarray,
    full_sizes: np.ndarray,
    small: np.ndarray,
    small_sizes: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    inside = np.full(len(small), -1, dtype=np.int32)  # i where a member of R(i)
    taken = np.full(len(small), -1, dtype=np.int32)  # i where a member by now
    sizes = np.empty(last - first, dtype=np.int64)
    most = full.shape[1] * (1 + small.shape[1])
    indices = np.empty((last - first) * most, dtype=np.int32)
    end = 0
    for i in range(first, last):
        start = end
        members = full[i, : full_sizes[i]]
        for c in members:
            inside[c] = taken[c] = i
            indices[end] = c
            end += 1
        for c in members:
            candidates = small[c, : small_sizes[c]]
            common = 0
            for j in candidates:
                if inside[j] == i:
                    common += 1
            if 3 * common > 2 * len(candidates):
                for j in candidates:
                    if taken[j] != i:
                        taken[j] = i
                        indices[end] = j
                        end += 1
        indices[start:end].sort()
        sizes[i - first] = end - start
    return sizes, indices[:end].copy()


@kernel
def _mean_rows(
    first: int,
    last: int,
    nearest: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    n_columns: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    total = np.empty(n_columns, dtype=np.float32)
    seen = np.full(n_columns, -1, dtype=np.int32)
    sizes = np.empty(last - first, dtype=np.int64)
    most = 0
    for i in range(first, last):
        for j in nearest[i]:
            if j >= 0:
                most += indptr[j + 1] - indptr[j]
    columns = np.empty(most, dtype=np.int32)
    means = np.empty(most, dtype=np.float32)
    end = 0
    for i in range(first, last):
        start = end
        count = np.float32(0)
        for j in nearest[i]:
            if j < 0:
                continue
            count += np.float32(1)
            for p in range(indptr[j], indptr[j + 1]):
                c = indices[p]
                if seen[c] == i:
                    total[c] += data[p]
                else:
                    seen[c] = i
                    total[c] = data[p]
                    columns[end] = c
                    end += 1
        columns[start:end].sort()
        for p in range(start, end):
            means[p] = total[columns[p]] / count
        sizes[i - first] = end - start
    return sizes, columns[:end].copy(), means[:end].copy()
