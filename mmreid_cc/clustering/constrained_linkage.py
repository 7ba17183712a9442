"""Average linkage of groups, some pairs of which must not be joined."""

from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from .compiled_kernels import kernel


def join_groups(
    similarity: np.ndarray, conflict: np.ndarray, sizes: np.ndarray, least: float
) -> np.ndarray:
    """Join the two most similar groups repeatedly, until none are similar enough.

    The similarity of two groups is the mean over all pairs of their members (average
    linkage). Two groups are never joined if a pair of their parts is in conflict.

    Args:
        similarity (np.ndarray): (N, N) float32, symmetric, mean similarity of each two
            groups.
        conflict (np.ndarray): (N, N) bool, symmetric.
        sizes (np.ndarray): (N,) positive, how many members each group has.
        least (float): Least similarity of two groups that are joined.

    Returns:
        np.ndarray: (N,) int64, for each group the first of those that it was joined
        with, itself if it is the first or alone.

    Source: Sokal and Michener, A statistical method for evaluating systematic
    relationships, 1958; the nearest of each is remembered as in Anderberg, Cluster
    analysis for applications, 1973.

    Example:
        >>> similarity = np.float32([[1, 0.9, 0.2], [0.9, 1, 0.3], [0.2, 0.3, 1]])
        >>> join_groups(similarity, np.zeros((3, 3), bool), np.ones(3), least=0.5)
        array([0, 0, 2])
    """
    sizes = np.asarray(sizes, dtype=np.float64)
    groups = np.arange(len(sizes))
    # What is joined has a pair that is similar enough: no group crosses the connected
    # components of such pairs.
    close = similarity >= least
    close &= ~conflict
    pairs = np.divmod(np.flatnonzero(close), len(close))
    graph = csr_array((np.ones(len(pairs[0]), np.bool_), pairs), shape=close.shape)
    _, component = connected_components(graph, directed=False)
    order = np.argsort(component, kind='stable')
    ends = np.searchsorted(component[order], np.arange(component.max() + 2))
    for first, last in pairwise(ends):
        if last - first > 1:
            own = order[first:last]
            block = np.ix_(own, own)
            joined = _join(similarity[block], conflict[block], sizes[own], least)
            groups[own] = own[joined]
    return groups


@kernel
def _nearest(
    row: int, similarity: np.ndarray, conflict: np.ndarray, alive: np.ndarray
) -> tuple[int, float]:
    best, nearest = -np.inf, -1
    for other in range(len(alive)):
        free = alive[other] and other != row and not conflict[row, other]
        if free and similarity[row, other] > best:
            best, nearest = similarity[row, other], other
    return nearest, best


@kernel
def _join(
    similarity: np.ndarray, conflict: np.ndarray, sizes: np.ndarray, least: float
) -> np.ndarray:
    count = len(sizes)
    groups = np.arange(count)
    alive = np.ones(count, dtype=np.bool_)
    nearest = np.empty(count, dtype=np.int64)
    score = np.empty(count, dtype=np.float64)
    for row in range(count):
        nearest[row], score[row] = _nearest(row, similarity, conflict, alive)
    while True:
        best, one = least, -1
        for row in range(count):
            better = score[row] > best or (one < 0 and score[row] == best)
            if alive[row] and nearest[row] >= 0 and better:
                best, one = score[row], row
        if one < 0:
            return groups
        other = nearest[one]
        one, other = min(one, other), max(one, other)
        alive[other] = False
        share = sizes[one] / (sizes[one] + sizes[other])
        for k in range(count):
            if groups[k] == other:
                groups[k] = one
            mean = share * similarity[one, k] + (1 - share) * similarity[other, k]
            similarity[one, k] = similarity[k, one] = mean
            either = conflict[one, k] or conflict[other, k]
            conflict[one, k] = conflict[k, one] = either
        sizes[one] += sizes[other]
        for row in range(count):
            if not alive[row]:
                continue
            stale = row == one or nearest[row] == one or nearest[row] == other
            if stale:
                nearest[row], score[row] = _nearest(row, similarity, conflict, alive)
            elif not conflict[row, one] and similarity[row, one] > score[row]:
                nearest[row], score[row] = one, similarity[row, one]
