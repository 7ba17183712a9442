"""Improve lists of approximate neighbours by the neighbours of neighbours."""

from functools import partial

import numpy as np

from .compiled_kernels import kernel
from .parallel import map_row_blocks
from .search_sharing import Share
from .similarity import for_kernels, value

_ROUNDS = 2
_WIDTH = 30  # so many of a list are asked for their own: 30² comparisons a row at most


def refine(
    features: np.ndarray,
    proposals: np.ndarray,
    similarities: np.ndarray,
    cells: np.ndarray,
    share: Share,
) -> np.ndarray:
    """Enter every row in the lists of its neighbours, then ask them for theirs.

    A row that a neighbour's search has missed may have found the neighbour itself; and
    neighbours of neighbours are likely neighbours. Lists that hold most of the true
    neighbours become nearly complete in two rounds.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        proposals (np.ndarray): (R, K) int32, of this process's rows, distinct in each,
            best first, without the row itself; −1, none, fills the end.
        similarities (np.ndarray): (R, K) float32 of them; −inf for none.
        cells (np.ndarray): (N,) integers. Rows of one cell are treated one after the
            other, for they share most of what must be fetched; no result hangs on it.
        share (Share): The rows of this process.

    Returns:
        np.ndarray: (R, K) int32, the better lists of this process's rows.

    Source: Dong et al., Efficient k-nearest neighbor graph construction for generic
    similarity measures, WWW 2011: two of its iterations, without sampling.

    Example:
        >>> from .search_sharing import ALONE
        >>> features = np.float32([[1, 0], [1, 0], [1, 0]])
        >>> chain = np.array([[1], [2], [0]], dtype=np.int32)
        >>> chain = np.pad(chain, ((0, 0), (0, 1)), constant_values=-1)
        >>> weights = np.where(chain < 0, -np.inf, 1).astype(np.float32)
        >>> refine(features, chain, weights, np.zeros(3), ALONE)
        array([[1, 2],
               [2, 0],
               [0, 1]], dtype=int32)
    """
    first, last = share.rows(len(features))
    order = first + np.argsort(cells[first:last], kind='stable')
    for _ in range(_ROUNDS):
        lists, weights = _with_reverse(
            share.gather(proposals), share.gather(similarities)
        )
        proposals, similarities = lists[first:last].copy(), weights[first:last].copy()
        map_row_blocks(
            _ask_neighbors,
            len(order),
            order,
            for_kernels(features),
            lists,
            proposals,
            similarities,
            first,
            stage='neighbours of neighbours',
        )
    return proposals


@kernel
def _with_reverse(
    proposals: np.ndarray, similarities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Enter each row in the lists of those that it lists."""
    n_rows, size = proposals.shape
    lists, weights = proposals.copy(), similarities.copy()
    for i in range(n_rows):
        for a in range(size):
            j, weight = proposals[i, a], similarities[i, a]
            if j < 0:
                break
            if weight > weights[j, size - 1]:
                known = False
                for h in lists[j]:
                    if h == i:
                        known = True
                if not known:
                    insert(lists[j], weights[j], i, weight)
    return lists, weights


@partial(kernel, fastmath={'reassoc', 'contract'})
def _product(a: np.ndarray, b: np.ndarray) -> np.float32:
    total = np.float32(0)
    for d in range(a.shape[0]):
        total += a[d] * value(b[d])
    return total


@kernel
def _ask_neighbors(
    first: int,
    last: int,
    order: np.ndarray,
    features: np.ndarray,
    lists: np.ndarray,
    proposals: np.ndarray,
    similarities: np.ndarray,
    offset: int,
) -> None:
    n_rows, size = lists.shape
    width = min(size, _WIDTH)
    seen = np.full(n_rows, -1, dtype=np.int32)
    itself = np.empty(features.shape[1], dtype=np.float32)
    for i in order[first:last]:
        for d in range(len(itself)):
            itself[d] = value(features[i, d])
        best, weights = proposals[i - offset], similarities[i - offset]
        seen[i] = i
        for j in lists[i]:
            if j >= 0:
                seen[j] = i
        for j in lists[i, :width]:
            if j < 0:
                break
            for h in lists[j, :width]:
                if h < 0:
                    break
                if seen[h] != i:
                    seen[h] = i
                    weight = _product(itself, features[h])
                    if weight > weights[size - 1]:
                        insert(best, weights, h, weight)


@kernel
def insert(best: np.ndarray, weights: np.ndarray, index: int, weight: float) -> None:
    """Insert an index in its place in a list, whose last one falls out.

    Args:
        best (np.ndarray): (K,) integers, changed in place.
        weights (np.ndarray): (K,) floating, descending, changed in place.
        index (int): What to insert, not in the list yet.
        weight (float): Its weight, above the last one.

    Example:
        >>> best, weights = np.array([3, 1]), np.array([0.9, 0.1])
        >>> insert(best, weights, 2, 0.5)
        >>> best
        array([3, 2])
    """
    place = len(best) - 1
    while place > 0 and weights[place - 1] < weight:
        best[place], weights[place] = best[place - 1], weights[place - 1]
        place -= 1
    best[place], weights[place] = index, weight
