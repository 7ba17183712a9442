"""Jaccard distances, one group of rows at a time."""

import numpy as np
from scipy.sparse import csc_array, csr_array

from mmreid_cc.clustering.encoding_twins import hash_rows
from mmreid_cc.clustering.jaccard import distance_rows
from mmreid_cc.clustering.reciprocal import (
    expand_queries,
    expand_sets,
    half_size,
    mutual_neighbors,
    weigh,
)
from mmreid_cc.clustering.similarity import pair_similarities

from .job import Job
from .layout import Universe
from .row_files import Ragged, Rows
from .shuffle import gather, scatter


def find_mutual(job: Job, group: int) -> None:
    """Write the stage ``mutual``: neighbours that list the row, too, in full and half
    lists.
    """
    half = half_size(job.settings['k1'])

    def find(rows: np.ndarray) -> dict[str, Rows]:
        layout = job.layout
        own = layout.placed(layout.read('neighbors', rows, 'neighbor')[0])
        universe = Universe(own)
        (lists,) = layout.read_at('neighbors', universe.rows, 'neighbor')
        numbers = universe.of(layout.places[rows]).astype(np.int64)
        own, lists = universe.of(own), universe.of(layout.placed(lists))
        found: dict[str, Rows] = {}
        for name, k in (('full', own.shape[1]), ('half', half)):
            members = mutual_neighbors(numbers, own[:, :k], lists[:, :k])
            found[name] = layout.named(universe.named(_with_end(*members)))
        return found

    job.layout.by_blocks('mutual', group, find)


def _with_end(members: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Fill each row behind its members with −1."""
    return np.where(np.arange(members.shape[1]) < sizes[:, None], members, -1)


def encode_rows(job: Job, group: int) -> None:
    """Write the stage ``encoding``: the reciprocal set of each row, and its weights."""

    def find(rows: np.ndarray) -> dict[str, Rows]:
        (full,) = job.layout.read('mutual', rows, 'full')
        members = Universe(full)
        (half,) = job.layout.read('mutual', members.rows, 'half')
        universe = Universe(full, half)
        small = np.full((len(universe), half.shape[1]), -1, dtype=np.int32)
        small[universe.of(members.rows)] = universe.of(half)
        full = universe.of(full)
        sizes = [(lists >= 0).sum(axis=1) for lists in (full, small)]
        indptr, indices = expand_sets(full, sizes[0], small, sizes[1])
        sets = Ragged(indptr.astype(np.int64), universe.named(indices))

        universe = Universe(rows, sets.entries)
        (features,) = job.layout.read('features', universe.rows, 'feature')
        similarities = pair_similarities(
            features[universe.of(rows)], features, indptr, universe.of(sets.entries)
        )
        weights = weigh(indptr, 2 - 2 * similarities)
        return dict(column=sets, weight=Ragged(sets.indptr, weights))

    job.layout.by_blocks('encoding', group, find)


def expand_rows(job: Job, group: int) -> None:
    """Write the stage ``expanded``: the mean of the encodings of the nearest rows."""
    k2 = job.settings['k2']

    def find(rows: np.ndarray) -> dict[str, Rows]:
        if k2 == 1:  # nothing is averaged
            columns, weights = job.layout.read('encoding', rows, 'column', 'weight')
            return _with_hashes(columns, weights)
        (nearest,) = job.layout.read('neighbors', rows, 'neighbor')
        nearest = np.ascontiguousarray(nearest[:, :k2])
        asked = Universe(nearest)
        read = job.layout.read('encoding', asked.rows, 'column', 'weight')
        known = Universe(read[0].entries)
        encoding = _matrix(read[0], read[1], known)
        expanded = expand_queries(encoding, asked.of(nearest))
        indptr = expanded.indptr.astype(np.int64)
        columns = Ragged(indptr, known.named(expanded.indices))
        return _with_hashes(columns, Ragged(indptr, expanded.data))

    job.layout.by_blocks('expanded', group, find)


def _with_hashes(columns: Ragged, weights: Ragged) -> dict[str, Rows]:
    """Return the columns of the stage ``expanded``; equal rows have equal hashes."""
    hashes = hash_rows(columns.indptr, columns.entries, weights.entries)
    return dict(column=columns, weight=weights, hash=hashes)


def _matrix(columns: Ragged, weights: Ragged, known: Universe) -> csr_array:
    """Return the rows of an encoding, with columns numbered in a universe."""
    return csr_array(
        (weights.entries, known.of(columns.entries), columns.indptr),
        shape=(len(columns.indptr) - 1, len(known)),
    )


def scatter_columns(job: Job, group: int) -> None:
    """Write the stage ``crossed``: the entries of the encoding, sorted by column."""
    rows = job.layout.rows(group)
    rows = rows[job.twins[rows] == rows]
    columns, weights = job.layout.read('expanded', rows, 'column', 'weight')
    scatter(
        job.layout,
        'crossed',
        group,
        columns.entries,
        dict(
            column=columns.entries,
            row=np.repeat(rows, np.diff(columns.indptr)),
            weight=weights.entries,
        ),
    )


def gather_columns(job: Job, group: int) -> None:
    """Write the stage ``columns``: the columns of the encoding for the rows of a
    group.
    """
    layout = job.layout
    names = ['column', 'row', 'weight']
    columns, rows, weights = gather(layout, 'crossed', layout.groups, group, names)
    places = layout.places[columns] - group * layout.rows_per_group
    order = np.lexsort((rows, places))
    sizes = np.bincount(places, minlength=len(layout.rows(group)))
    indptr = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    found = dict(row=Ragged(indptr, rows[order]), weight=Ragged(indptr, weights[order]))
    layout.write('columns', group, found)


def find_distances(job: Job, group: int) -> None:
    """Write the stage ``distance``: distances up to ``eps``, without later twins."""

    def find(every: np.ndarray) -> dict[str, Rows]:
        first = job.twins[every] == every
        rows = every[first]
        if not len(rows):
            nothing = np.zeros(len(every) + 1, dtype=np.int64)
            return dict(
                neighbor=Ragged(nothing, np.empty(0, dtype=np.int32)),
                distance=Ragged(nothing, np.empty(0, dtype=np.float32)),
            )
        layout = job.layout
        columns, weights = layout.read('expanded', rows, 'column', 'weight')
        columns = Ragged(columns.indptr, layout.placed(columns.entries))
        known = Universe(columns.entries)
        met, shares = layout.read_at('columns', known.rows, 'row', 'weight')
        met = Ragged(met.indptr, layout.placed(met.entries))
        universe = Universe(met.entries)
        # The entries of a row keep their order, in which their shares are added up.
        distance = distance_rows(
            _matrix(columns, weights, known),
            csc_array(
                (shares.entries, universe.of(met.entries), met.indptr),
                shape=(len(universe), len(known)),
            ),
            universe.of(layout.places[rows]).astype(np.int64),
            np.zeros(len(rows), dtype=np.int64),
            job.settings['eps'],
        )
        sizes = np.zeros(len(every), dtype=np.int64)
        sizes[first] = np.diff(distance.indptr)
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        return dict(
            neighbor=Ragged(indptr, layout.named(universe.named(distance.indices))),
            distance=Ragged(indptr, distance.data),
        )

    job.layout.by_blocks('distance', group, find)
