"""DBSCAN on distances in files: connected components over the edges of core points."""

from collections.abc import Callable, Iterator

import numpy as np

from mmreid_cc.clustering.dbscan import (
    connect,
    core_points,
    join_borders,
    number_components,
)

from .layout import Layout, stage_file
from .row_files import Ragged, read_chunks


def label_rows(
    layout: Layout,
    twins: np.ndarray,
    eps: float,
    min_samples: int,
    track: Callable[[range], Iterator[int]] = iter,
) -> np.ndarray:
    """Find the clusters of DBSCAN in the stage ``distance``.

    The process that calls it reads the distances three times, a chunk of 1024 rows at a
    time, and joins core points by union-find. It never holds all edges. For each row it
    holds the number, the place, the twin, the number of twins and the parent (int32),
    whether it is a core point, and the label (int64, twice at the end): 37 bytes. So 4
    GB are enough for 10⁸ rows, and 80 GB for the 2·10⁹ rows that int32 can number.

    Args:
        layout (Layout): Where the rows lie.
        twins (np.ndarray): The first row that has the same encoding, (N,) int32, from
            :func:`mmreid_cc.clustering.encoding_twins.find_twins`. Distances are stored
            for this row only.
        eps (float): Largest distance of two neighbours.
        min_samples (int): The number of neighbours that make a row a core point; the
            row itself counts.
        track (Callable): Iterates over the groups and shows the progress. Defaults to
            iter.

    Returns:
        np.ndarray: The labels that :func:`mmreid_cc.clustering.dbscan.dbscan` gives,
        (N,) int64.

    Example:
        >>> label_rows(layout, twins, eps=0.6, min_samples=4)
        array([ 0,  0, -1, ...])
    """
    limit = np.float32(eps)
    counts = np.bincount(twins, minlength=len(twins)).astype(np.int32)
    core = np.empty(len(layout.order), dtype=np.bool_)
    parents = np.arange(len(core), dtype=np.int32)
    for group in track(range(layout.groups)):
        for rows, near, distances in _chunks(layout, group):
            core[rows] = core_points(
                *near, distances.entries, counts, limit, min_samples
            )
    for group in track(range(layout.groups)):
        for rows, near, distances in _chunks(layout, group):
            connect(rows, *near, distances.entries, limit, core, parents)
    labels = number_components(core, parents)
    for group in track(range(layout.groups)):
        for rows, near, distances in _chunks(layout, group):
            join_borders(rows, *near, distances.entries, limit, core, labels)
    return labels[twins]


def _chunks(layout: Layout, group: int) -> Iterator[tuple[np.ndarray, Ragged, Ragged]]:
    """Yield the rows of a group by chunks, with their neighbours and distances."""
    rows, first = layout.rows(group), 0
    file = stage_file(layout.folder, 'distance', group)
    for near, distances in read_chunks(file, ['neighbor', 'distance']):
        last = first + len(near.indptr) - 1
        yield rows[first:last], near, distances
        first = last
