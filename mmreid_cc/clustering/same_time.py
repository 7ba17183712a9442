"""Separation of tracks that overlap in time, because they show different people."""

import numpy as np

from .compiled_kernels import kernel

_LARGE = 512  # tracks; a larger cluster is halved before its pairs are compared
_HALVINGS = 10  # rounds of 2-means


def separate_overlapping(
    labels: np.ndarray,
    features: np.ndarray,
    places: np.ndarray,
    intervals: np.ndarray,
    tracks: np.ndarray,
) -> np.ndarray:
    """Divide clusters that hold tracks of one place that overlap in time.

    The tracks of such a cluster are joined again, the most similar ones first (average
    linkage), but never two groups with tracks that overlap. This divides a cluster into
    few groups of similar tracks. Other clusters do not change.

    Args:
        labels (np.ndarray): (T,) integers, the cluster of each track, −1 un-clustered.
        features (np.ndarray): (T, D) float32, rows L2-normalised.
        places (np.ndarray): (T,) integers, e.g. cameras: where a person can be once.
        intervals (np.ndarray): (T, 2) float64, the first and last time of each; NaN
            where unknown: such a track overlaps with none.
        tracks (np.ndarray): (T,) integers; rows of the same number are parts of one
            track, which may overlap.

    Returns:
        np.ndarray: (T,) int64, clusters that do not overlap; −1 stays −1.

    Example:
        >>> features = np.float32([[1, 0], [1, 0], [0.8, 0.6]])
        >>> intervals = np.array([[0, 2], [5, 9], [1, 3]])
        >>> zeros = np.zeros(3, dtype=np.int64)
        >>> separate_overlapping(zeros, features, zeros, intervals, np.arange(3))
        array([1, 1, 2])
    """
    result = labels.astype(np.int64)
    next_label = int(labels.max(initial=-1)) + 1
    torn = overlapping_clusters(labels, places, intervals, tracks)
    for members in _members(labels, torn):
        for piece in _pieces(features[members]):
            own = members[piece]
            conflict = _conflicts(places[own], intervals[own], tracks[own])
            similarity = (features[own] @ features[own].T).astype(np.float64)
            parts = _join(similarity, conflict)
            result[own] = next_label + np.unique(parts, return_inverse=True)[1]
            next_label += len(np.unique(parts))
    return result


def overlapping_clusters(
    labels: np.ndarray, places: np.ndarray, intervals: np.ndarray, tracks: np.ndarray
) -> np.ndarray:
    """Find the clusters with tracks of one place that overlap in time.

    Args:
        labels (np.ndarray): (T,) integers, −1 is un-clustered.
        places (np.ndarray): (T,) integers.
        intervals (np.ndarray): (T, 2) float64, NaN where unknown. The ends belong to
            them: who leaves when another one comes is not the same.
        tracks (np.ndarray): (T,) integers, see :func:`separate_overlapping`.

    Returns:
        np.ndarray: Their labels, ascending.

    Example:
        >>> intervals, one = np.array([[0, 2], [2, 3], [0, 2]]), np.zeros(3)
        >>> overlapping_clusters(np.array([4, 4, 7]), one, intervals, np.arange(3))
        array([4])
    """
    rows = np.flatnonzero((labels >= 0) & np.isfinite(intervals).all(axis=1))
    if not len(rows):
        return np.empty(0, dtype=np.int64)
    # Whole numbers in place of times: so sums stay exact.
    moments, ranks = np.unique(intervals[rows], return_inverse=True)
    starts, ends = ranks.reshape(-1, 2).T.astype(np.int64)
    order = np.lexsort((ends, starts, places[rows], labels[rows]))
    rows, starts, ends = rows[order], starts[order], ends[order]
    new = np.diff(labels[rows], prepend=-1) != 0
    new |= np.diff(places[rows], prepend=places[rows[0]] - 1) != 0
    shift = (np.cumsum(new) - 1) * len(moments)
    latest = np.maximum.accumulate(ends + shift)
    overlaps = ~new
    overlaps[1:] &= (starts + shift)[1:] <= latest[:-1]
    found = np.unique(labels[rows[overlaps]])
    # Parts of one track may overlap: only then the pairs must be looked at.
    if len(np.unique(tracks)) == len(tracks):
        return found
    torn = [
        _conflicts(places[own], intervals[own], tracks[own]).any()
        for own in _members(labels, found)
    ]
    return found[np.array(torn, dtype=bool)]


def _members(labels: np.ndarray, wanted: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each of some labels, ascending."""
    order = np.argsort(labels, kind='stable')
    bounds = [
        np.searchsorted(labels[order], wanted, side) for side in ('left', 'right')
    ]
    return [order[first:last] for first, last in zip(*bounds, strict=True)]


def _conflicts(
    places: np.ndarray, intervals: np.ndarray, tracks: np.ndarray
) -> np.ndarray:
    """Return which tracks cannot be of one person; (M, M) bool."""
    starts, ends = intervals.T
    together = (starts[:, None] <= ends) & (starts <= ends[:, None])
    same_place = places[:, None] == places
    return together & same_place & (tracks[:, None] != tracks)


def _pieces(features: np.ndarray) -> list[np.ndarray]:
    """Yield all rows, or pieces small enough for a comparison of all pairs."""
    open_, done = [np.arange(len(features))], []
    while open_:
        rows = open_.pop()
        if len(rows) <= _LARGE:
            done.append(rows)
            continue
        own = features[rows]
        seed = int((own @ own.mean(axis=0)).argmin())
        side = own @ own[seed] > np.median(own @ own[seed])
        for _ in range(_HALVINGS):
            if side.all() or not side.any():
                side = np.arange(len(rows)) % 2 == 0  # all alike
                break
            side = own @ (own[side].mean(axis=0) - own[~side].mean(axis=0)) > 0
        if side.all() or not side.any():
            side = np.arange(len(rows)) % 2 == 0
        open_ += [rows[side], rows[~side]]
    return done


@kernel
def _join(similarity: np.ndarray, conflict: np.ndarray) -> np.ndarray:
    """Return the group of each row by average linkage without joining conflicts."""
    count = len(similarity)
    groups = np.arange(count)
    sizes = np.ones(count)
    alive = np.ones(count, dtype=np.bool_)
    while True:
        best, one, other = -np.inf, -1, -1
        for i in range(count):
            if alive[i]:
                for j in range(i + 1, count):
                    if alive[j] and not conflict[i, j] and similarity[i, j] > best:
                        best, one, other = similarity[i, j], i, j
        if one < 0:
            return groups
        total = sizes[one] + sizes[other]
        for k in range(count):
            mean = sizes[one] * similarity[one, k] + sizes[other] * similarity[other, k]
            similarity[one, k] = similarity[k, one] = mean / total
            either = conflict[one, k] or conflict[other, k]
            conflict[one, k] = conflict[k, one] = either
            if groups[k] == other:
                groups[k] = one
        sizes[one] = total
        alive[other] = False


def mark_overlaps(
    owners: np.ndarray, places: np.ndarray, intervals: np.ndarray, marked: np.ndarray
) -> None:
    """Mark which owners have tracks of one place that overlap in time.

    Args:
        owners (np.ndarray): (T,) integers in 0…G−1, whose each track is.
        places (np.ndarray): (T,) integers, e.g. cameras.
        intervals (np.ndarray): (T, 2) float64, the first and last time of each; NaN
            where unknown: such a track overlaps with none.
        marked (np.ndarray): (G, G) bool, in which pairs of different owners are set.

    Example:
        >>> marked = np.zeros((2, 2), dtype=bool)
        >>> intervals = np.array([[0.0, 2.0], [1.0, 3.0]])
        >>> mark_overlaps(np.arange(2), np.zeros(2, int), intervals, marked)
        >>> marked
        array([[False,  True],
               [ True, False]])
    """
    timed = np.flatnonzero(np.isfinite(intervals).all(axis=1))
    order = timed[np.lexsort((intervals[timed, 0], places[timed]))]
    starts, ends = np.ascontiguousarray(intervals[order].T)
    _mark(owners[order], places[order], starts, ends, marked)


@kernel
def _mark(
    owners: np.ndarray,
    places: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    marked: np.ndarray,
) -> None:
    """Do the work of :func:`mark_overlaps` for tracks sorted by place and start."""
    for i in range(len(owners)):
        for j in range(i + 1, len(owners)):
            if places[j] != places[i] or starts[j] > ends[i]:
                break
            if owners[i] != owners[j]:
                marked[owners[i], owners[j]] = marked[owners[j], owners[i]] = True
