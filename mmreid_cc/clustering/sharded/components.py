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
    eps: float,
    min_samples: int,
    track: Callable[[range], Iterator[int]] = iter,
) -> np.ndarray:
    """Find the clusters of DBSCAN in the stage ``distance``.

    The process that calls it reads the distances three times, a chunk of 1024 rows at
    a time, and joins core points by union-find. It holds 13 bytes for each row: a
    parent (int32), a label (int64) and whether it is a core point. So 64 GB are enough
    for 2·10⁹ rows beside their places, and edges are never held as a whole.

    Args:
        layout (Layout): Of the rows.
        eps (float): Largest distance of two neighbours.
        min_samples (int): Neighbours, itself included, that make a core point.
        track (Callable): Goes over the groups, to show how far it is. Defaults to iter.

    Returns:
        np.ndarray: (N,) int64, those of :func:`mmreid_cc.clustering.dbscan.dbscan`.

    Example:
        >>> label_rows(layout, eps=0.6, min_samples=4)
        array([ 0,  0, -1, ...])
    """
    limit = np.float32(eps)
    core = np.empty(len(layout.order), dtype=np.bool_)
    parents = np.arange(len(core), dtype=np.int32)
    for group in track(range(layout.groups)):
        for rows, _, distances in _chunks(layout, group):
            core[rows] = core_points(
                distances.indptr, distances.entries, limit, min_samples
            )
    for group in track(range(layout.groups)):
        for rows, near, distances in _chunks(layout, group):
            connect(rows, *near, distances.entries, limit, core, parents)
    labels = number_components(core, parents)
    for group in track(range(layout.groups)):
        for rows, near, distances in _chunks(layout, group):
            join_borders(rows, *near, distances.entries, limit, core, labels)
    return labels


def _chunks(layout: Layout, group: int) -> Iterator[tuple[np.ndarray, Ragged, Ragged]]:
    """Rows, and their neighbours and distances."""
    rows, first = layout.rows(group), 0
    file = stage_file(layout.folder, 'distance', group)
    for near, distances in read_chunks(file, ['neighbor', 'distance']):
        last = first + len(near.indptr) - 1
        yield rows[first:last], near, distances
        first = last
