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
    n_cells = min(n_rows, 4 * math.isqrt(n_rows))
    n_probes = min(n_cells, max(_FEWEST_PROBES, n_cells // _CELLS_PER_PROBE))
    first, last = share.rows(n_rows)
    # One thread each for BLAS and faiss: blocks run in parallel, and a product is the
    # same bit for bit whatever the number of threads.
    with threadpool_limits(1, user_api='blas'):
        centroids = _train(features, n_cells)
        cells = share.gather(_cells(features[first:last], centroids, 'cells'))
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


def _train(features: np.ndarray, n_cells: int) -> np.ndarray:
    """Spherical k-means on a sample: (n_cells, D) float32 of unit length."""
    rng = np.random.default_rng(0)
    size = min(len(features), n_cells * _TRAINING_ROWS_PER_CELL)
    sample = float32(features[np.sort(rng.choice(len(features), size, replace=False))])
    centroids = sample[np.sort(rng.choice(size, n_cells, replace=False))]
    for _ in range(_TRAINING_ROUNDS):
        cells = _cells(sample, centroids, None)
        ones = np.ones(size, dtype=np.float32)
        sums = csr_array((ones, (cells, np.arange(size))), (n_cells, size)) @ sample
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        # A cell without rows, or whose rows cancel out, stays where it is.
        centroids = np.where(norms > 0, sums / np.where(norms > 0, norms, 1), centroids)
    return centroids


def _cells(
    features: np.ndarray, centroids: np.ndarray, stage: str | None
) -> np.ndarray:
    """Find the cell nearest to each row: (N,) int32."""

    def search(first: int, last: int) -> np.ndarray:
        return _probes(float32(features[first:last]), centroids, 1)[:, 0]

    blocks = map_row_blocks(
        search, len(features), stage=stage, rows_per_block=_ROWS_PER_BLOCK
    )
    return np.concatenate([np.empty(0, dtype=np.int32), *blocks])


def _probes(queries: np.ndarray, centroids: np.ndarray, count: int) -> np.ndarray:
    """Find the cells nearest to each query: (Q, count) int32, nearest first."""
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
    probed = _probes(queries, centroids, n_probes).ravel()
    by_cell = np.argsort(probed, kind='stable')
    ends = np.searchsorted(probed[by_cell], np.arange(len(pointers)))
    askers = by_cell // n_probes
    for cell in np.unique(probed):
        asking = askers[ends[cell] : ends[cell + 1]]
        asked = members[pointers[cell] : pointers[cell + 1]]
        products = queries[asking] @ float32(features[asked]).T
        _keep_best(products, asking, asked, offset + first, best, weights)
    return best, weights


@kernel
def _keep_best(
    products: np.ndarray,
    asking: np.ndarray,
    asked: np.ndarray,
    offset: int,
    best: np.ndarray,
    weights: np.ndarray,
) -> None:
    last = best.shape[1] - 1
    for a in range(len(asking)):
        i = asking[a]
        row, row_weights = best[i], weights[i]
        for b in range(len(asked)):
            if products[a, b] > row_weights[last] and asked[b] != offset + i:
                insert(row, row_weights, asked[b], products[a, b])
