"""Find neighbours cell by cell: proposals, two rounds of refinement, and the lists."""

from collections.abc import Iterator

import numpy as np

from mmreid_cc.clustering.exact import HostSearch
from mmreid_cc.clustering.input_checks import float32
from mmreid_cc.clustering.inverted_file import keep_best, partition, probes
from mmreid_cc.clustering.neighbor_refinement import WIDTH, ask_neighbors, enter
from mmreid_cc.clustering.neighbor_selection import rank_proposals
from mmreid_cc.clustering.parallel import row_pointers
from mmreid_cc.clustering.similarity import pair_similarities

from .job import Job
from .layout import Universe, stage_file
from .row_files import ROWS_PER_CHUNK, Rows, read_chunks
from .shuffle import gather, scatter

_MARGIN = 8  # candidates beyond k, as in an exact search


def propose(job: Job, group: int, count: int) -> None:
    """Write the stage ``proposals-0``: compare each row with the nearest cells.

    If these cells hold too few rows, the row is compared with all rows.
    """
    n_cells = len(job.centroids)
    n_probes = partition(len(job.layout.order))[1]

    def find(rows: np.ndarray) -> dict[str, Rows]:
        queries = float32(job.layout.read('features', rows, 'feature')[0])
        found = _compare(
            job, rows, queries, probes(queries, job.centroids, n_probes), count
        )
        few = np.flatnonzero((found[0] >= 0).sum(axis=1) < job.settings['k1'] - 1)
        if len(few) and n_probes < n_cells:
            every = np.broadcast_to(
                np.arange(n_cells, dtype=np.int32), (len(few), n_cells)
            )
            more = _compare(job, rows[few], queries[few], every, count)
            for part, other in zip(found, more, strict=True):
                part[few] = other
        return dict(neighbor=found[0], similarity=found[1])

    job.layout.by_blocks('proposals-0', group, find)


def _compare(
    job: Job, rows: np.ndarray, queries: np.ndarray, probed: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Compare rows with the members of cells, which are read one chunk at a time."""
    n_probes, itself = probed.shape[1], rows.astype(np.int64)
    best = np.full((len(rows), count), -1, dtype=np.int32)
    weights = np.full((len(rows), count), -np.inf, dtype=np.float32)
    flat = probed.ravel()
    by_cell = np.argsort(flat, kind='stable')
    cells = np.unique(flat)
    ends = np.searchsorted(flat[by_cell], np.arange(len(job.starts)))
    askers = by_cell // n_probes
    for first, members, features in _members(job, cells):
        last = first + len(members)
        low = np.searchsorted(job.starts[cells + 1], first, 'right')
        high = np.searchsorted(job.starts[cells], last, 'left')
        for cell in cells[low:high]:
            begin = max(0, job.starts[cell] - first)
            end = min(len(members), job.starts[cell + 1] - first)
            if begin >= end:  # a cell without members
                continue
            asking = askers[ends[cell] : ends[cell + 1]]
            products = queries[asking] @ features[begin:end].T
            keep_best(products, asking, members[begin:end], itself, best, weights)
    return best, weights


def _members(
    job: Job, cells: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield the chunks that hold members of cells: first place, rows and features."""
    size = job.layout.rows_per_group
    wanted: dict[int, set[int]] = {}
    for first, last in zip(job.starts[cells], job.starts[cells + 1], strict=True):
        for group in range(first // size, (last - 1) // size + 1):
            begin, end = max(first - group * size, 0), min(last - group * size, size)
            needed = range(begin // ROWS_PER_CHUNK, (end - 1) // ROWS_PER_CHUNK + 1)
            wanted.setdefault(group, set()).update(needed)
    for group in sorted(wanted):
        chunks = sorted(wanted[group])
        rows = job.layout.rows(group)
        file = stage_file(job.layout.folder, 'features', group)
        found = read_chunks(file, ['feature'], chunks)
        for chunk, (features,) in zip(chunks, found, strict=True):
            first = chunk * ROWS_PER_CHUNK
            members = rows[first : first + ROWS_PER_CHUNK]
            yield group * size + first, members, float32(features)


def scatter_reverse(job: Job, group: int, turn: int) -> None:
    """Write the stage ``reverse-…``: pairs of rows, sorted by the row that is
    listed.
    """
    rows = job.layout.rows(group)
    stage = f'proposals-{turn - 1}'
    lists, weights = job.layout.read(stage, rows, 'neighbor', 'similarity')
    listed = lists >= 0
    sources = np.repeat(rows, listed.sum(axis=1))
    columns = dict(target=lists[listed], source=sources, weight=weights[listed])
    scatter(job.layout, f'reverse-{turn}', group, lists[listed], columns)


def enter_reverse(job: Job, group: int, turn: int) -> None:
    """Write the stage ``lists-…``: add each row to the lists of the rows that it
    lists.
    """
    layout = job.layout
    stage = f'proposals-{turn - 1}'
    own = layout.read(stage, layout.rows(group), 'neighbor', 'similarity')
    lists, weights = (part.copy() for part in own)
    targets, sources, values = gather(
        layout, f'reverse-{turn}', layout.groups, group, ['target', 'source', 'weight']
    )
    order = np.argsort(sources, kind='stable')  # as one process enters them
    places = layout.places[targets[order]] - group * layout.rows_per_group
    enter(places, sources[order], values[order], lists, weights)
    layout.write(f'lists-{turn}', group, dict(neighbor=lists, similarity=weights))


def refine(job: Job, group: int, turn: int) -> None:
    """Write the stage ``proposals-…``: compare rows with neighbours of neighbours."""
    stage = f'lists-{turn}'

    def find(rows: np.ndarray) -> dict[str, Rows]:
        layout = job.layout
        own, weights = layout.read(stage, rows, 'neighbor', 'similarity')
        places, own = layout.places[rows], layout.placed(own)
        asked = Universe(places, own)
        (lists,) = layout.read_at(stage, asked.rows, 'neighbor')
        lists = layout.placed(lists[:, :WIDTH])
        universe = Universe(places, own, lists)
        (features,) = layout.read_at('features', universe.rows, 'feature')
        known = np.full((len(universe), own.shape[1]), -1, dtype=np.int32)
        known[universe.of(asked.rows), :WIDTH] = universe.of(lists)
        own = universe.of(own)
        numbers = universe.of(places).astype(np.int64)
        known[numbers] = own
        similarities = weights.copy()  # what is read need not be writable
        ask_neighbors(features, numbers, np.arange(len(rows)), known, own, similarities)
        neighbors = layout.named(universe.named(own))
        return dict(neighbor=neighbors, similarity=similarities)

    job.layout.by_blocks(f'proposals-{turn}', group, find)


def rank(job: Job, group: int, turn: int) -> None:
    """Write the stage ``neighbors``: the lists that ``knn`` returns."""
    k = min(job.settings['k1'], len(job.layout.order))

    def find(rows: np.ndarray) -> dict[str, Rows]:
        (proposals,) = job.layout.read(f'proposals-{turn}', rows, 'neighbor')
        universe = Universe(rows, proposals)
        (features,) = job.layout.read('features', universe.rows, 'feature')
        indices, similarities = rank_proposals(
            features, universe.of(rows), universe.of(proposals), k
        )
        return dict(neighbor=universe.named(indices), similarity=similarities)

    job.layout.by_blocks('neighbors', group, find)


def search_exactly(job: Job, group: int) -> np.ndarray:
    """Compute the similarities of some rows to their true neighbours in a group.

    Args:
        job (Job): Its chosen rows are the queries.
        group (int): The group that is searched.

    Returns:
        np.ndarray: The k largest similarities, as ``knn`` computes them, (Q, k)
        float32; −1 or less where the group holds fewer rows.
    """
    k = min(job.settings['k1'], len(job.layout.order))
    (queries,) = job.layout.read('features', job.chosen, 'feature')
    rows = job.layout.rows(group)
    (features,) = job.layout.read('features', rows, 'feature')
    count = min(k + _MARGIN, len(rows))
    _, near = HostSearch(features)(float32(queries), count)
    pointers = row_pointers(np.full(len(queries), count))
    exact = pair_similarities(
        queries, features, pointers, near.ravel().astype(np.int32)
    )
    best = -np.sort(-exact.reshape(near.shape), axis=1)[:, :k]
    return np.pad(best, ((0, 0), (0, k - best.shape[1])), constant_values=-np.inf)
