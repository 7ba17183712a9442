"""The joining of two tracks of one person, whom a detector has found twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from mmengine.logging import print_log
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .tracks import Tracks

DUPLICATE = 0.9  # intersection over union of two boxes of one person
SHARE = 0.5  # of the boxes of a track that must be duplicates


def join_twins(tracks: Tracks) -> Tracks:
    r"""Join tracks that follow one person at the same time.

    If most boxes of a track almost equal those of another one, both show the same
    person, although they overlap in time. They become one track, in which each frame
    keeps the box of highest confidence.

    Args:
        tracks (Tracks): N boxes.

    Returns:
        Tracks: N boxes or less, in the same order; tracks that were joined have the
        smallest of their numbers.

    Example:
        >>> Path('a.txt').write_text('1,7,10,20,30,60,0.9\n1,8,10,20,30,61,0.5')
        >>> join_twins(read_tracks('a.txt')).ids
        array([7])
    """
    found: Counter[tuple[int, int]] = Counter()
    for rows in by_frame(tracks):
        shared, union = intersections(tracks.boxes[rows])
        ids = tracks.ids[rows]
        for pair in np.argwhere(np.triu(shared > DUPLICATE * union, k=1)):
            one, other = sorted(ids[pair].tolist())
            found[one, other] += one >= 0
    names, place, sizes = np.unique(tracks.ids, return_inverse=True, return_counts=True)
    size_of = dict(zip(names.tolist(), sizes.tolist(), strict=True))
    twins = [
        pair
        for pair, number in found.items()
        if number > SHARE * min(size_of[each] for each in pair)
    ]
    if not twins:
        return tracks
    links = np.searchsorted(names, np.array(twins))
    graph = coo_array((np.ones(len(links)), tuple(links.T)), (len(names), len(names)))
    _, groups = connected_components(graph, directed=False)
    smallest = names[np.unique(groups, return_index=True)[1]]
    joined = replace(tracks, ids=smallest[groups][place])
    print_log(
        f'{tracks.file}: {len(names) - len(smallest)} tracks follow the same '
        'person as another track, and are joined with it.',
        logger='current',
    )
    return _one_box_a_frame(joined)


def by_frame(tracks: Tracks) -> Iterator[np.ndarray]:
    """Yield the rows of each frame that has several, by falling confidence.

    A box of unknown confidence comes last.
    """
    worth = np.nan_to_num(tracks.confidences, nan=-1.0)
    order = np.lexsort((tracks.lines, -worth, tracks.frames))
    bounds = np.flatnonzero(np.diff(tracks.frames[order])) + 1
    return (rows for rows in np.split(order, bounds) if len(rows) > 1)


def intersections(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the areas that every two boxes share, and that they cover together."""
    low, high = boxes[:, :2], boxes[:, :2] + np.maximum(boxes[:, 2:], 0)
    sides = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    shared = np.prod(np.maximum(sides, 0), axis=2)
    areas = np.diag(shared)
    return shared, areas[:, None] + areas - shared


def _one_box_a_frame(tracks: Tracks) -> Tracks:
    kept = np.ones(len(tracks), dtype=bool)
    for rows in by_frame(tracks):
        own = rows[tracks.ids[rows] >= 0]
        first = np.unique(tracks.ids[own], return_index=True)[1]
        kept[np.delete(own, first)] = False
    pids = [pid for pid, keep in zip(tracks.pids, kept, strict=True) if keep]
    columns = ('lines', 'frames', 'ids', 'boxes', 'confidences')
    values = {name: getattr(tracks, name)[kept] for name in columns}
    return replace(tracks, **values, pids=pids)
