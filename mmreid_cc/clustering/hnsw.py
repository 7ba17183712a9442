"""Approximate neighbours by a hierarchical navigable small world graph."""

import math
from collections.abc import Iterable

import faiss
import numpy as np

from .input_checks import float32
from .neighbor_refinement import refine
from .parallel import faiss_threads, n_threads
from .progress import track
from .search_sharing import Share

_LINKS = 16  # per image and level
_ROWS_PER_BLOCK = 16384


def propose_by_graph(features: np.ndarray, count: int, share: Share) -> np.ndarray:
    """Propose neighbours by walks on faiss's HNSW graph, then :func:`refine` them.

    The graph is built by one thread, because several threads would build another one
    each time. It holds a float32 copy of the features.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        count (int): Number of proposals per row.
        share (Share): The rows of this process; each builds the graph of all rows.

    Returns:
        np.ndarray: (R, count) int32, for the rows of this process, distinct in each,
        without the row itself; −1 is none.

    Source: Malkov and Yashunin, Efficient and robust approximate nearest neighbor
    search using hierarchical navigable small world graphs, PAMI 2020.

    Example:
        >>> from .search_sharing import ALONE
        >>> features = np.eye(4, dtype=np.float32)
        >>> np.sort(propose_by_graph(features, 3, ALONE), axis=1)[1]
        array([0, 2, 3], dtype=int32)
    """
    n_rows, dim = features.shape
    index = faiss.IndexHNSWFlat(dim, _LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = max(count + 1, 8 * math.ceil(math.log2(n_rows + 1)))
    with faiss_threads(1):
        for block in _blocks(0, n_rows, 'graph'):
            index.add(float32(features[block]))
    first, last = share.rows(n_rows)
    proposals = np.empty((last - first, count), dtype=np.int32)
    similarities = np.empty((last - first, count), dtype=np.float32)
    with faiss_threads(n_threads()):
        for block in _blocks(first, last, 'neighbours'):
            found = index.search(float32(features[block]), count + 1)
            rows = np.arange(block.start, block.stop)
            own = slice(block.start - first, block.stop - first)
            similarities[own], proposals[own] = _without_itself(rows, *found)
    del index
    return refine(features, proposals, similarities, np.zeros(n_rows), share)


def _blocks(first: int, last: int, stage: str) -> Iterable[slice]:
    starts = range(first, last, _ROWS_PER_BLOCK)
    blocks = [slice(start, min(start + _ROWS_PER_BLOCK, last)) for start in starts]
    return track(blocks, stage, total=len(blocks))


def _without_itself(
    rows: np.ndarray, similarities: np.ndarray, indices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Drop each row from its own list, or the last of a list that lacks it."""
    weights = np.where(indices < 0, -np.inf, similarities)
    itself = indices == rows[:, None]
    itself[~itself.any(axis=1), -1] = True
    shape = len(rows), indices.shape[1] - 1
    return weights[~itself].reshape(shape), indices[~itself].reshape(shape)
