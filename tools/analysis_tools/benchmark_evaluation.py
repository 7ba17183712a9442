"""Measure ranking and re-ranking: ours and the usual ways, and at full size.

    python tools/analysis_tools/benchmark_evaluation.py
    python tools/analysis_tools/benchmark_evaluation.py --preset market msmt17
    python tools/analysis_tools/benchmark_evaluation.py --preset msmt17 --rerank

It generates as many features as the data set has. All ways of ranking get the same
blocks of distances. The matrix product that computes them is the same for all, so it
has a row of its own; ``total s`` is the sum of both, and ``ours, one call`` is measured
as a whole. If the loop around scikit-learn would take too long, it ranks only some of
the queries and its seconds are multiplied: see ``queries``. Everything is compiled
before it is measured. ``--json`` writes the rows to a file.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmark_clustering import Row, print_table, write_json
from feature_generator import generate_features
from numpy.typing import NDArray
from stage_meter import Measurement, measure
from textbook_ranking import Labels, Ranks, compiled_ranking, sorted_ranking
from textbook_re_ranking import dense_re_ranking

from mmreid_cc.evaluation import ReRankedDistance, re_ranking, roc_curve
from mmreid_cc.evaluation.functional.distances import CosineDistance
from mmreid_cc.evaluation.functional.protocol import distance_and_protocol
from mmreid_cc.evaluation.functional.query_ranks import QueryRanks, rank_queries

SPIN = 0.1  # seconds; the product's threads keep their cores busy for a while
LARGEST_DENSE = 10_000  # images; above, the (Q + G)² matrices take too much


class Preset(NamedTuple):
    """The size of a data set.

    Args:
        queries: number of queries.
        gallery: number of gallery images.
        dim: number of dimensions.
        images_per_identity: mean number of images of an identity.
        n_cameras: number of cameras.
    """

    queries: int
    gallery: int
    dim: int
    images_per_identity: int
    n_cameras: int


PRESETS = {
    'small': Preset(600, 3000, 256, 26, 6),
    'market': Preset(3368, 15913, 2048, 26, 6),
    'msmt17': Preset(11659, 82161, 2048, 31, 15),
}


class Data(NamedTuple):
    """Arrays in the order in which ``ranking_metrics`` takes them."""

    query_features: NDArray[np.float32]
    gallery_features: NDArray[np.float32]
    query_pids: Labels
    gallery_pids: Labels
    query_cams: Labels
    gallery_cams: Labels


def generate(preset: Preset) -> Data:
    """Draw query and gallery; their features are views of one array."""
    n_images = preset.queries + preset.gallery
    arrays = generate_features(
        n_images,
        preset.dim,
        images_per_identity=preset.images_per_identity,
        n_cameras=preset.n_cameras,
    )
    halves = slice(preset.queries), slice(preset.queries, n_images)
    return Data(*(array[half] for array in arrays for half in halves))


def counted_ranking(distances: NDArray[np.float32], *labels: Labels) -> Ranks:
    """Rank by counting, with the arguments of the textbook versions."""
    return _shown(
        rank_queries(*distance_and_protocol(None, None, *labels, distance=distances))
    )


WAYS: dict[str, Callable[..., Ranks]] = {
    'ours': counted_ranking,
    'compiled sort': compiled_ranking,
    'scikit-learn': sorted_ranking,
}


def compare_ranking(name: str, data: Data, most_queries: int) -> list[Row]:
    """Rank the same blocks of distances in three ways, and measure ours as a whole.

    Args:
        name: the name of the preset.
        data: query and gallery.
        most_queries: how many queries, evenly spread, scikit-learn ranks at most.

    Returns:
        A row for the distances, one for each way, and one for each of our ranking and
        our ROC in one call.
    """
    n_queries = len(data.query_pids)
    few = min(most_queries, n_queries)
    sample = np.linspace(0, n_queries - 1, few).astype(np.int64)
    with measure() as call:
        ranks = rank_queries(*distance_and_protocol(*data))
    expected = _shown(ranks)

    product = Measurement()
    costs = {way: Measurement() for way in WAYS}
    same = dict.fromkeys(WAYS, True)
    chunks = CosineDistance(*data[:2]).chunks()
    while True:
        with measure() as cost:
            chunk = next(chunks, None)
        product.include(cost)
        if chunk is None:
            break
        time.sleep(SPIN)
        every_query = np.arange(chunk[0].start, chunk[0].stop)
        for way, rank in WAYS.items():
            queries = every_query
            if way == 'scikit-learn':
                queries = np.intersect1d(every_query, sample)
            distances = chunk[1][queries - chunk[0].start]
            pids, cams = data.query_pids[queries], data.query_cams[queries]
            labels = pids, data.gallery_pids, cams, data.gallery_cams
            with measure() as cost:
                result = rank(distances, *labels)
            costs[way].include(cost)
            same[way] &= _equal(result, tuple(part[queries] for part in expected))
            del distances

    costs['scikit-learn'].seconds *= n_queries / few
    costs['scikit-learn'].cpu_seconds *= n_queries / few
    rows = [_row(name, 'distances', n_queries, product)]
    for way, cost in costs.items():
        row = _row(name, way, few if way == 'scikit-learn' else n_queries, cost)
        row['total s'] = product.seconds + cost.seconds
        row['ratio'] = cost.seconds / costs['ours'].seconds
        row['CPU ratio'] = cost.cpu_seconds / costs['ours'].cpu_seconds
        row['total ratio'] = row['total s'] / (product.seconds + costs['ours'].seconds)
        row['same'] = same[way]
        rows.append(row)
    rows.append(_row(name, 'ours, one call', n_queries, call))
    rows[-1] |= {'total s': call.seconds, **ranks.means(topk=(1,))}
    with measure() as cost:
        roc_curve(*data)
    rows.append(_row(name, 'ROC, one call', n_queries, cost))
    rows[-1]['total s'] = cost.seconds
    return rows


def measure_re_ranking(name: str, data: Data) -> list[Row]:
    """Re-rank sparsely, rank by it, and compare with the dense version where it fits.

    Args:
        name: the name of the preset.
        data: query and gallery.

    Returns:
        A row for the sparse distance, one for ranking by it, and one for the textbook.
    """
    n_queries = len(data.query_pids)
    with measure() as cost:
        distance = ReRankedDistance(*data[:2])
    rows = [_row(name, 're-ranking', n_queries, cost)]
    with measure() as cost:
        ranks = rank_queries(*distance_and_protocol(*data, distance=distance))
    rows.append(_row(name, 'ranking by it', n_queries, cost))
    rows[-1] |= ranks.means(topk=(1,))
    if n_queries + len(data.gallery_pids) <= LARGEST_DENSE:
        with measure() as ours:
            sparse = re_ranking(*data[:2])
        rows.append(_row(name, 'ours as a matrix', n_queries, ours))
        with measure() as cost:
            dense = dense_re_ranking(*data[:2])
        rows.append(_row(name, 'textbook', n_queries, cost))
        rows[-1]['ratio'] = cost.seconds / ours.seconds
        rows[-1]['same'] = bool(np.allclose(sparse, dense, rtol=0, atol=1e-5))
    return rows


def _row(name: str, what: str, n_queries: int, cost: Measurement) -> Row:
    row: Row = {'size': name, 'what': what, 'queries': n_queries}
    row |= {'s': cost.seconds, 'CPU s': cost.cpu_seconds}
    return row | {'peak MB': cost.peak_mb, 'added MB': cost.added_mb}


def _shown(ranks: QueryRanks) -> Ranks:
    return ranks.average_precision, ranks.first_match


def _equal(ranks: Ranks, expected: Ranks) -> bool:
    close = np.allclose(ranks[0], expected[0], rtol=0, atol=1e-9, equal_nan=True)
    return bool(close and np.array_equal(ranks[1], expected[1]))


def _with_all_columns(rows: list[Row]) -> list[Row]:
    columns = {key: '' for row in rows for key in row}
    return [columns | row for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--preset', nargs='+', choices=PRESETS, default=['small'])
    parser.add_argument(
        '--rerank', action='store_true', help='measure re-ranking instead'
    )
    parser.add_argument(
        '--sklearn-queries',
        type=int,
        default=4000,
        help='largest number of queries for scikit-learn',
    )
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()

    tiny = generate(Preset(40, 60, 8, 5, 2))  # compiles
    if args.rerank:
        measure_re_ranking('tiny', tiny)
    else:
        compare_ranking('tiny', tiny, most_queries=1)
    rows = []
    for name in args.preset:
        data = generate(PRESETS[name])
        if args.rerank:
            rows += measure_re_ranking(name, data)
        else:
            rows += compare_ranking(name, data, args.sklearn_queries)
        print_table(_with_all_columns(rows))
        del data
    if args.json:
        write_json(args.json, rows)


if __name__ == '__main__':
    main()
