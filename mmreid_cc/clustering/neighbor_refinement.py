"""Improve lists of approximate neighbours by the neighbours of neighbours."""

from functools import partial

import numpy as np

from .compiled_kernels import kernel
from .parallel import map_row_blocks
from .search_sharing import Share
from .similarity import for_kernels, value

ROUNDS = 2
WIDTH = 30  # so many of a list are asked for their own: 30² comparisons a row at most
_ROWS_PER_ENTRY = 1024


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
    rows = np.arange(first, last)
    order = np.argsort(cells[first:last], kind='stable')
    for _ in range(ROUNDS):
        lists, weights = _with_reverse(
            share.gather(proposals), share.gather(similarities)
        )
        proposals, similarities = lists[first:last].copy(), weights[first:last].copy()
        ask_neighbors(features, rows, order, lists, proposals, similarities)
    return proposals


def ask_neighbors(
    features: np.ndarray,
    rows: np.ndarray,
    order: np.ndarray,
    lists: np.ndarray,
    proposals: np.ndarray,
    similarities: np.ndarray,
) -> None:
    """Enter the neighbours of their neighbours in the lists of some rows.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        rows (np.ndarray): (R,) integers in 0…N − 1, the rows.
        order (np.ndarray): (R,) integers, in which the rows are treated.
        lists (np.ndarray): (N, K) int32, all lists; those of the rows and of their
            neighbours are read.
        proposals (np.ndarray): (R, K) int32, a copy of the lists of the rows, changed
            in place.
        similarities (np.ndarray): (R, K) float32 of them, changed in place.

    Example:
        >>> ask_neighbors(features, rows, np.arange(len(rows)), lists, own, weights)
    """
    map_row_blocks(
        _ask_neighbors,
        len(order),
        order,
        rows,
        for_kernels(features),
        lists,
        proposals,
        similarities,
        stage='neighbours of neighbours',
    )


def _with_reverse(
    proposals: np.ndarray, similarities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Enter each row in the lists of those that it lists."""
    lists, weights = proposals.copy(), similarities.copy()
    for first in range(0, len(lists), _ROWS_PER_ENTRY):
        block = slice(first, first + _ROWS_PER_ENTRY)
        rows = np.arange(first, first + len(proposals[block]), dtype=np.int32)
        sources = np.repeat(rows, lists.shape[1])
        targets, values = proposals[block].ravel(), similarities[block].ravel()
        enter(targets, sources, values, lists, weights)
    return lists, weights


@kernel
def enter(
    targets: np.ndarray,
    sources: np.ndarray,
    values: np.ndarray,
    lists: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Enter rows in the lists of others, one after the other.

    Args:
        targets (np.ndarray): (E,) integers, the lists; negative is none.
        sources (np.ndarray): (E,) int32, what is entered where it is near enough and
            not in the list yet.
        values (np.ndarray): (E,) float32, the similarities.
        lists (np.ndarray): (N, K) int32, changed in place.
        weights (np.ndarray): (N, K) float32, descending, changed in place.

    Example:
        >>> lists, weights = np.array([[-1]], np.int32), np.array([[-np.inf]])
        >>> enter(np.array([0]), np.array([7], np.int32), np.ones(1), lists, weights)
        >>> lists
        array([[7]], dtype=int32)
    """
    size = lists.shape[1]
    for e in range(len(targets)):
        j, i, weight = targets[e], sources[e], values[e]
        if j >= 0 and weight > weights[j, size - 1]:
            known = False
            for h in lists[j]:
                if h == i:
                    known = True
            if not known:
                insert(lists[j], weights[j], i, weight)


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
    rows: np.ndarray,
    features: np.ndarray,
    lists: np.ndarray,
    proposals: np.ndarray,
    similarities: np.ndarray,
) -> None:
    size = lists.shape[1]
    width = min(size, WIDTH)
    seen = np.full(len(lists), -1, dtype=np.int32)
    itself = np.empty(features.shape[1], dtype=np.float32)
    for place in order[first:last]:
        i = rows[place]
        for d in range(len(itself)):
            itself[d] = value(features[i, d])
        best, weights = proposals[place], similarities[place]
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
