"""One clustering that many clusterings of the same images agree on.

Source: the evidence accumulation of Fred and Jain (IEEE TPAMI 27, 2005), with average
linkage. Merging all groups that are each other's nearest at once gives the same groups
as one merge at a time (Murtagh, The Computer Journal 26, 1983).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import csr_array

_PRODUCTS_PER_BLOCK = 2_000_000  # that are in memory at once


def consensus(
    labelings: Sequence[np.ndarray],
    share: float,
    weights: Sequence[int] | None = None,
) -> np.ndarray:
    """Put images together that enough clusterings put together.

    Every clustering has one vote on each pair of images, or several. Groups of images
    are merged, the best first, while the pairs between two of them have a large enough
    share of the votes on average (average linkage). Time grows with the pairs that are
    in a cluster, memory only with N·V.

    Args:
        labelings (Sequence[np.ndarray]): V clusterings, (N,) integers each; −1 is
            un-clustered, together with no other image.
        share (float): Share of the votes that is enough, in (0, 1].
        weights (Sequence[int] | None): V numbers of votes, one or more for each
            clustering. Defaults to None, one for each.

    Returns:
        np.ndarray: (N,) int64, 0…C−1 in the order of the first images; −1 for images
        that stay alone.

    Example:
        >>> one, other = np.array([0, 0, 1, 1]), np.array([0, 0, 0, -1])
        >>> consensus([one, one, other], share=0.5)
        array([0, 0, 1, 1])
        >>> consensus([one, one, other], share=0.8)
        array([ 0,  0, -1, -1])
        >>> consensus([one, other], share=0.75, weights=[3, 1])
        array([0, 0, 1, 1])
    """
    clusters = np.stack(labelings, axis=1)
    votes = np.ones(len(labelings), int) if weights is None else np.array(weights)
    least = share * votes.sum() - 1e-9  # for shares that are not exact
    groups = _equal_rows(clusters, votes, least)
    # Of each group the number of its images in each of the given clusters.
    active, rows = np.unique(groups, return_inverse=True)
    counts = _summed(_memberships(clusters), rows)
    votes = np.repeat(votes, clusters.max(axis=0) + 1)  # now of each cluster
    sizes: np.ndarray = np.bincount(rows).astype(np.float64)
    while len(active) > 1:
        nearest, mean_votes = _nearest(counts, sizes, votes)
        # In average linkage, a group that is near to no other one stays so.
        near = mean_votes >= least
        order = np.arange(len(active))
        second = near & (nearest[nearest] == order) & (nearest < order)
        root = np.arange(len(clusters))
        root[active[second]] = active[nearest[second]]
        groups = root[groups]
        target = np.where(second, nearest, order)
        kept, rows = np.unique(target[near], return_inverse=True)
        counts = _summed(counts[near], rows)
        sizes = np.bincount(rows, sizes[near])
        active = active[kept]
    return _numbered(groups)


def _memberships(clusters: np.ndarray) -> csr_array:
    """Return for each image a one for each cluster that it is in."""
    first = np.concatenate([[0], np.cumsum(clusters.max(axis=0) + 1)])
    images, places = np.nonzero(clusters >= 0)
    columns = clusters[images, places] + first[places]
    ones = np.ones(len(images))
    return csr_array((ones, (images, columns)), (len(clusters), first[-1]))


def _equal_rows(clusters: np.ndarray, votes: np.ndarray, least: float) -> np.ndarray:
    """Group images that no vote separates; each group has its first image's number."""
    groups = np.arange(len(clusters))
    together = np.flatnonzero((clusters >= 0) @ votes >= least)
    if len(together):
        _, first, inverse = np.unique(
            clusters[together], axis=0, return_index=True, return_inverse=True
        )
        groups[together] = together[first[inverse]]
    return groups


def _summed(counts: csr_array, rows: np.ndarray) -> csr_array:
    """Add up rows that have the same number, 0 to the largest."""
    shape = rows.max(initial=-1) + 1, len(rows)
    ones = np.ones(len(rows))
    return csr_array((ones, (rows, np.arange(len(rows)))), shape) @ counts


def _nearest(
    counts: csr_array, sizes: np.ndarray, votes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return of each group the one with most votes for a pair of both, and how many.

    Counts are whole numbers, so that the result does not depend on their order. Of
    equal ones, the first is taken; without any, the group itself.
    """
    nearest, best = np.arange(len(sizes)), np.zeros(len(sizes))
    columns = counts.T.tocsr()
    columns.data *= np.repeat(votes, np.diff(columns.indptr))
    for block in _blocks(counts, columns):
        pairs = counts[block] @ columns
        rows = np.repeat(np.arange(block.start, block.stop), np.diff(pairs.indptr))
        others = rows != pairs.indices
        rows, groups, means = rows[others], pairs.indices[others], pairs.data[others]
        means /= sizes[rows] * sizes[groups]
        np.maximum.at(best, rows, means)
        largest = means == best[rows]
        nearest[rows[largest]] = len(sizes)
        np.minimum.at(nearest, rows[largest], groups[largest])
    return nearest, best


def _blocks(counts: csr_array, columns: csr_array) -> Iterator[slice]:
    """Divide groups into blocks, for which there are not too many products."""
    work = np.concatenate([[0], np.cumsum(np.diff(columns.indptr)[counts.indices])])
    work = work[counts.indptr]
    start = 0
    while start < counts.shape[0]:
        stop = int(np.searchsorted(work, work[start] + _PRODUCTS_PER_BLOCK, 'right'))
        stop = max(start + 1, stop - 1)
        yield slice(start, stop)
        start = stop


def _numbered(groups: np.ndarray) -> np.ndarray:
    """Number groups of two images and more in the order of their first images."""
    _, rows, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    kept = sizes > 1
    numbers = np.where(kept, np.cumsum(kept) - 1, -1)
    return numbers[rows]
