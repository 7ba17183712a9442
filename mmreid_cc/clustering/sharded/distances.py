"""Jaccard distances by groups of rows, each task with the rows that it needs."""

import numpy as np
from scipy.sparse import csc_array, csr_array

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
    """Stage ``mutual``: neighbours that list the row, too, of full and half lists."""
    half = half_size(job.settings['k1'])

    def find(rows: np.ndarray) -> dict[str, Rows]:
        (own,) = job.layout.read('neighbors', rows, 'neighbor')
        universe = Universe(own)
        (lists,) = job.layout.read('neighbors', universe.rows, 'neighbor')
        numbers = universe.of(rows).astype(np.int64)
        own, lists = universe.of(own), universe.of(lists)
        return {
            name: universe.named(
                _with_end(*mutual_neighbors(numbers, own[:, :k], lists[:, :k]))
            )
            for name, k in (('full', own.shape[1]), ('half', half))
        }

    job.layout.by_blocks('mutual', group, find)


def _with_end(members: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Fill what does not count with −1."""
    return np.where(np.arange(members.shape[1]) < sizes[:, None], members, -1)


def encode_rows(job: Job, group: int) -> None:
    """Stage ``encoding``: the reciprocal set of each row, and its weights."""

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
    """Stage ``expanded``: the mean of the encodings of the nearest rows."""
    k2 = job.settings['k2']

    def find(rows: np.ndarray) -> dict[str, Rows]:
        if k2 == 1:  # nothing is averaged
            columns, weights = job.layout.read('encoding', rows, 'column', 'weight')
            return dict(column=columns, weight=weights)
        (nearest,) = job.layout.read('neighbors', rows, 'neighbor')
        nearest = np.ascontiguousarray(nearest[:, :k2])
        asked = Universe(nearest)
        read = job.layout.read('encoding', asked.rows, 'column', 'weight')
        known = Universe(read[0].entries)
        encoding = _matrix(read[0], read[1], known)
        expanded = expand_queries(encoding, asked.of(nearest))
        indptr = expanded.indptr.astype(np.int64)
        return dict(
            column=Ragged(indptr, known.named(expanded.indices)),
            weight=Ragged(indptr, expanded.data),
        )

    job.layout.by_blocks('expanded', group, find)


def _matrix(columns: Ragged, weights: Ragged, known: Universe) -> csr_array:
    """The rows of an encoding, with its columns numbered in a universe."""
    return csr_array(
        (weights.entries.copy(), known.of(columns.entries), columns.indptr),
        shape=(len(columns.indptr) - 1, len(known)),
    )


def scatter_columns(job: Job, group: int) -> None:
    """Stage ``crossed``: entries of the encoding, on the way to their columns."""
    rows = job.layout.rows(group)
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
    """Stage ``columns``: the columns of the encoding that belong to rows of a group."""
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
    """Stage ``distance``: the rows of the distance up to ``eps``."""

    def find(rows: np.ndarray) -> dict[str, Rows]:
        read = job.layout.read('expanded', rows, 'column', 'weight')
        known = Universe(read[0].entries)
        met, weights = job.layout.read('columns', known.rows, 'row', 'weight')
        universe = Universe(met.entries)
        columns = csc_array(
            (weights.entries.copy(), universe.of(met.entries), met.indptr),
            shape=(len(universe), len(known)),
        )
        distance = distance_rows(
            _matrix(read[0], read[1], known),
            columns,
            universe.of(rows).astype(np.int64),
            np.zeros(len(rows), dtype=np.int64),
            job.settings['eps'],
        )
        indptr = distance.indptr.astype(np.int64)
        return dict(
            neighbor=Ragged(indptr, universe.named(distance.indices)),
            distance=Ragged(indptr, distance.data),
        )

    job.layout.by_blocks('distance', group, find)
