"""Measure pseudo labels: ours and the textbook version, at scale, or on yours.

    python tools/analysis_tools/benchmark_clustering.py
    python tools/analysis_tools/benchmark_clustering.py --scale 100000:exact 1000000:ivf
    python tools/analysis_tools/benchmark_clustering.py --features f.npy --pids p.npy

The first command compares ours with the dense version, given the same neighbours. The
second runs neighbours, Jaccard distance and DBSCAN on generated features. The third
runs every clusterer on your own features. ``--json`` writes the rows to a file.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from feature_generator import generate_features
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score
from stage_meter import Measurement, measure
from textbook_clustering import dense_dbscan, dense_jaccard

from mmreid_cc.atomic_writing import replacing
from mmreid_cc.clustering import (
    CLUSTERERS,
    cluster_statistics,
    clustering_quality,
    jaccard_distance,
    knn,
    neighbor_recall,
)
from mmreid_cc.clustering.dbscan import dbscan

Row = dict[str, Any]
K1, K2, EPS, MIN_SAMPLES = 30, 6, 0.6, 4  # the paper's
CLUSTERER_NAMES = ('DBSCAN', 'InfoMap', 'HDBSCAN', 'Agglomerative', 'KMeans')


def compare(features: NDArray[np.float32]) -> Row:
    """Measure both versions, from the same neighbours.

    Args:
        features: (N, D), L2-normalised.

    Returns:
        The row of the table.
    """
    neighbors, _ = knn(features, K1, method='exact')
    with measure() as ours:
        distance = jaccard_distance(
            features, K1, K2, neighbors=neighbors, max_distance=EPS
        )
        labels = dbscan(distance, MIN_SAMPLES)
    with measure() as textbook:
        expected = dense_dbscan(dense_jaccard(features, neighbors, K1, K2))
    return {
        'N': len(features),
        'ours s': ours.seconds,
        'ours MB': ours.added_mb,
        'textbook s': textbook.seconds,
        'textbook MB': textbook.added_mb,
        'ratio': textbook.seconds / ours.seconds,
        'same labels': bool(np.array_equal(labels, expected)),
    }


def scale(n_images: int, method: str, decay: float) -> list[Row]:
    """Measure each stage on generated features of 256 dimensions.

    Args:
        n_images: number of images.
        method: the method of :func:`mmreid_cc.clustering.knn`.
        decay: the decay of :func:`generate_features`.

    Returns:
        One row per stage, the last with recall and agreement with the identities.
    """
    features, pids, _ = generate_features(n_images, decay=decay)
    rows = []

    def report(stage: str, cost: Measurement, **more: Any) -> None:
        row = {'N': n_images, 'method': method, 'decay': decay, 'stage': stage}
        row.update({'s': cost.seconds, 'CPU s': cost.cpu_seconds})
        row.update({'peak MB': cost.peak_mb, 'added MB': cost.added_mb, **more})
        rows.append(row)
        print_table(rows[-1:])

    with measure() as cost:
        neighbors, similarities = knn(features, K1, method=method)
    report('neighbours', cost, recall=neighbor_recall(features, similarities))
    del similarities
    with measure() as cost:
        distance = jaccard_distance(
            features, K1, K2, neighbors=neighbors, max_distance=EPS
        )
    report('distance', cost)
    with measure() as cost:
        labels = dbscan(distance, MIN_SAMPLES)
    quality = clustering_quality(labels, pids)
    statistics = cluster_statistics(labels)
    report('dbscan', cost, ARI=quality['ARI'], unclustered=statistics['unclustered'])
    if method != 'exact' and n_images <= 100_000:
        exact, _ = knn(features, K1, method='exact')
        distance = jaccard_distance(features, K1, K2, neighbors=exact, max_distance=EPS)
        agreement = adjusted_rand_score(dbscan(distance, MIN_SAMPLES), labels)
        rows[-1]['ARI to exact'] = agreement
        print_table(rows[-1:])
    return rows


def try_clusterers(
    features: NDArray[np.float32], pids: NDArray[np.int64] | None
) -> list[Row]:
    """Run every clusterer with its defaults.

    Args:
        features: (N, D), L2-normalised.
        pids: (N,) identities, where they are known: they give the agreement, and
            KMeans, which must be told, the number of clusters.

    Returns:
        One row per clusterer.
    """
    rows = []
    for name in CLUSTERER_NAMES:
        config: dict[str, Any] = {'type': name}
        if name == 'KMeans':
            n_clusters = len(features) // 20 if pids is None else len(np.unique(pids))
            config['n_clusters'] = n_clusters
        clusterer = CLUSTERERS.build(config)
        some = max(200, config.get('n_clusters', 0))
        clusterer.fit_predict(features[:some])  # compiles
        with measure() as cost:
            labels = clusterer.fit_predict(features)
        row = {'clusterer': name, 's': cost.seconds, 'CPU s': cost.cpu_seconds}
        row.update({'added MB': cost.added_mb})
        statistics = cluster_statistics(labels)
        row.update({key: statistics[key] for key in ('clusters', 'unclustered')})
        if pids is not None:
            row.update(clustering_quality(labels, pids))
        rows.append(row)
    return rows


def print_table(rows: list[Row]) -> None:
    """Print rows in columns under the names of the first one's fields."""

    def text(value: Any) -> str:
        return f'{value:.3f}' if isinstance(value, float) else str(value)

    lines = [list(rows[0]), *([text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, strict=True)
        print('  '.join(cell.rjust(width) for cell, width in cells), flush=True)


def write_json(path: Path, rows: list[Row]) -> None:
    """Write rows, completely or not at all, with the load of the machine."""
    content = {'cores': os.cpu_count(), 'load': os.getloadavg(), 'rows': rows}
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--sizes', type=int, nargs='+', default=[1000, 2000, 4000])
    parser.add_argument('--scale', nargs='+', metavar='N:METHOD')
    parser.add_argument('--decay', type=float, default=0.5)
    parser.add_argument('--features', type=Path, help='(N, D) array, .npy')
    parser.add_argument('--pids', type=Path, help='(N,) identities, .npy')
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()

    rows: list[Row] = []
    if args.scale:
        for task in args.scale:
            n_images, method = task.split(':')
            rows += scale(int(n_images), method, args.decay)
    elif args.features:
        features = np.load(args.features)
        rows = try_clusterers(features, np.load(args.pids) if args.pids else None)
        print_table(rows)
        print_table([compare(features)])
    else:
        compare(generate_features(200)[0])  # compiles
        rows = [compare(generate_features(size)[0]) for size in args.sizes]
        print_table(rows)
    if args.json:
        write_json(args.json, rows)


if __name__ == '__main__':
    main()
