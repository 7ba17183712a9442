"""Approximate neighbours by cells: an inverted file, searched cell by cell."""

import math

import faiss
import numpy as np
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from .compiled_kernels import kernel
from .input_checks import float32
from .neighbor_refinement import insert, refine
from .parallel import faiss_threads, map_row_blocks
from .search_sharing import Share

_CELLS_PER_PROBE = 32
_FEWEST_PROBES = 16
_TRAINING_ROWS_PER_CELL = 32
_TRAINING_ROUNDS = 6
_ROWS_PER_BLOCK = 16384  # enough queries per cell for matrix products, 16 MB at 256-d


def propose_by_cells(features: np.ndarray, count: int, share: Share) -> np.ndarray:
    """Propose neighbours from the cells of a k-means partition.

    Every row is compared with all members of the cells nearest to it, 4·√N cells in
    all. The rows that probe the same cell are compared with it in one matrix product,
    which uses the processor several times better than row by row. Then
    :func:`refine` finds most of what lay in other cells.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        count (int): Number of proposals per row.
        share (Share): The rows of this process.

    Returns:
        np.ndarray: (R, count) int32, for the rows of this process, distinct in each,
        without the row itself; −1 is none.

    Source: Jégou et al., Product quantization for nearest neighbor search, PAMI 2011
    (the inverted file, here without quantization).

    Example:
        >>> from .search_sharing import ALONE
        >>> features = np.eye(4, dtype=np.float32)
        >>> np.sort(propose_by_cells(features, 3, ALONE), axis=1)[1]
        array([0, 2, 3], dtype=int32)
    """
    n_rows = len(features)
    n_cells, n_probes = partition(n_rows)
    first, last = share.rows(n_rows)
    # One thread each for BLAS and faiss: blocks run in parallel, and a product is the
    # same bit for bit whatever the number of threads.
    with threadpool_limits(1, user_api='blas'):
        rng = np.random.default_rng(0)
        sample = training_rows(n_rows, rng)
        centroids = train_cells(float32(features[sample]), n_cells, rng)
        cells = share.gather(nearest_cells(features[first:last], centroids, 'cells'))
        members = np.argsort(cells, kind='stable').astype(np.int32)
        pointers = np.searchsorted(cells[members], np.arange(n_cells + 1))
        blocks = map_row_blocks(
            _compare_with_cells,
            last - first,
            features,
            first,
            centroids,
            members,
            pointers,
            n_probes,
            count,
            stage='neighbours',
            rows_per_block=_ROWS_PER_BLOCK,
        )
    empty = np.empty((0, count), np.int32), np.empty((0, count), np.float32)
    parts = zip(empty, *blocks, strict=True)
    proposals, similarities = (np.concatenate(part) for part in parts)
    del blocks
    return refine(features, proposals, similarities, cells, share)


def partition(n_rows: int) -> tuple[int, int]:
    """How many cells there are, and with how many a row is compared.

    Args:
        n_rows (int): N, from 1 on.

    Returns:
        tuple[int, int]: 4·√N cells, and a 32nd of them, 16 at least.

    Example:
        >>> partition(1_000_000)
        (4000, 125)
    """
    n_cells = min(n_rows, 4 * math.isqrt(n_rows))
    return n_cells, min(n_cells, max(_FEWEST_PROBES, n_cells // _CELLS_PER_PROBE))


def training_rows(n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the rows that k-means learns the cells from.

    Args:
        n_rows (int): N, from 1 on.
        rng (np.random.Generator): A generator with a fixed seed, which
            :func:`train_cells` uses next.

    Returns:
        np.ndarray: (S,) int64, ascending, 32 for each cell or all rows.

    Example:
        >>> len(training_rows(1_000_000, np.random.default_rng(0)))
        128000
    """
    size = min(n_rows, partition(n_rows)[0] * _TRAINING_ROWS_PER_CELL)
    return np.sort(rng.choice(n_rows, size, replace=False))


def train_cells(
    sample: np.ndarray, n_cells: int, rng: np.random.Generator
) -> np.ndarray:
    """Spherical k-means.

    Args:
        sample (np.ndarray): (S, D) float32.
        n_cells (int): In 1…S.
        rng (np.random.Generator): Draws the first centroids.

    Returns:
        np.ndarray: (n_cells, D) float32, of unit length.

    Example:
        >>> train_cells(np.eye(2, dtype=np.float32), 2, np.random.default_rng(0))
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    size = len(sample)
    centroids = sample[np.sort(rng.choice(size, n_cells, replace=False))]
    for _ in range(_TRAINING_ROUNDS):
        cells = nearest_cells(sample, centroids)
        ones = np.ones(size, dtype=np.float32)
        sums = csr_array((ones, (cells, np.arange(size))), (n_cells, size)) @ sample
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        # A cell without rows, or whose rows cancel out, stays where it is.
        centroids = np.where(norms > 0, sums / np.where(norms > 0, norms, 1), centroids)
    return centroids


def nearest_cells(
    features: np.ndarray, centroids: np.ndarray, stage: str | None = None
) -> np.ndarray:
    """Find the cell nearest to each row.

    Args:
        features (np.ndarray): (N, D) float16 or float32.
        centroids (np.ndarray): (C, D) float32.
        stage (str | None): Name of the progress bar. Defaults to None, without one.

    Returns:
        np.ndarray: (N,) int32.

    Example:
        >>> nearest_cells(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32))
        array([0, 1], dtype=int32)
    """

    def search(first: int, last: int) -> np.ndarray:
        return probes(float32(features[first:last]), centroids, 1)[:, 0]

    blocks = map_row_blocks(
        search, len(features), stage=stage, rows_per_block=_ROWS_PER_BLOCK
    )
    return np.concatenate([np.empty(0, dtype=np.int32), *blocks])


def probes(queries: np.ndarray, centroids: np.ndarray, count: int) -> np.ndarray:
    """Find the cells nearest to each query.

    Args:
        queries (np.ndarray): (Q, D) float32.
        centroids (np.ndarray): (C, D) float32.
        count (int): In 1…C.

    Returns:
        np.ndarray: (Q, count) int32, nearest first.

    Example:
        >>> probes(np.float32([[1, 0]]), np.eye(2, dtype=np.float32), 2)
        array([[0, 1]], dtype=int32)
    """
    with faiss_threads(1):
        _, nearest = faiss.knn(
            queries, centroids, count, metric=faiss.METRIC_INNER_PRODUCT
        )
    return nearest.astype(np.int32)


def _compare_with_cells(
    first: int,
    last: int,
    features: np.ndarray,
    offset: int,
    centroids: np.ndarray,
    members: np.ndarray,
    pointers: np.ndarray,
    n_probes: int,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Compare a block of rows with the members of the cells nearest to each."""
    n_rows = last - first
    queries = float32(features[offset + first : offset + last])
    best = np.full((n_rows, count), -1, dtype=np.int32)
    weights = np.full((n_rows, count), -np.inf, dtype=np.float32)
    probed = probes(queries, centroids, n_probes).ravel()
    by_cell = np.argsort(probed, kind='stable')
    ends = np.searchsorted(probed[by_cell], np.arange(len(pointers)))
    askers = by_cell // n_probes
    itself = np.arange(offset + first, offset + last)
    for cell in np.unique(probed):
        asking = askers[ends[cell] : ends[cell + 1]]
        asked = members[pointers[cell] : pointers[cell + 1]]
        products = queries[asking] @ float32(features[asked]).T
        keep_best(products, asking, asked, itself, best, weights)
    return best, weights


@kernel
def keep_best(
    products: np.ndarray,
    asking: np.ndarray,
    asked: np.ndarray,
    itself: np.ndarray,
    best: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Enter what rows were compared with in their lists, where it is near enough.

    Args:
        products (np.ndarray): (A, B) float32.
        asking (np.ndarray): (A,) integers, the rows by their place in the lists.
        asked (np.ndarray): (B,) int32, what they were compared with.
        itself (np.ndarray): (R,) integers, the row of each list, never entered in it.
        best (np.ndarray): (R, K) int32, changed in place; −1 is none.
        weights (np.ndarray): (R, K) float32, descending, changed in place.

    Example:
        >>> best, weights = np.full((1, 1), -1, np.int32), np.full((1, 1), -np.inf)
        >>> keep_best(np.float32([[1, 0.5]]), np.array([0]),
        ...           np.array([7, 8], np.int32), np.array([7]), best, weights)
        >>> best
        array([[8]], dtype=int32)
    """
    last = best.shape[1] - 1
    for a in range(len(asking)):
        i = asking[a]
        row, row_weights = best[i], weights[i]
        for b in range(len(asked)):
            if products[a, b] > row_weights[last] and asked[b] != itself[i]:
                insert(row, row_weights, asked[b], products[a, b])
