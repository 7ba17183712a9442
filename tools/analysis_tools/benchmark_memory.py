"""Compare the update of the cluster memory and its centroids with plain loops.

    python tools/analysis_tools/benchmark_memory.py

The batch is the paper's: 256 queries, 16 of each cluster, of 2048 dimensions. One
thread, because two make operations of this size slower on a busy machine. Times are
medians; the first calls are not counted. ``--json`` keeps the rows.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from benchmark_clustering import Row, print_table, write_json
from feature_generator import generate_features
from textbook_memory import centroid_loop, hard_loop, momentum_loop
from torch import Tensor

from mmreid_cc.clustering import cluster_centroids
from mmreid_cc.models.memories.updates import hard_update, momentum_update

Update = Callable[[Tensor, Tensor, Tensor, float], None]
BATCH, INSTANCES, DIM, CLUSTERS, MOMENTUM = 256, 16, 2048, 700, 0.1
WARM_UP = 5


def compare_updates(name: str, ours: Update, loop: Update, repeats: int) -> Row:
    """Measure one rule in both ways on the same batch.

    Args:
        name: the name of the rule.
        ours: vectorised.
        loop: one query after the other.
        repeats: number of measured calls of each.

    Returns:
        The row of the table.
    """
    generator = torch.Generator().manual_seed(0)
    centroids = F.normalize(torch.randn(CLUSTERS, DIM, generator=generator))
    clusters = torch.randperm(CLUSTERS, generator=generator)[: BATCH // INSTANCES]
    labels = clusters.repeat_interleave(INSTANCES)
    noise = torch.randn(BATCH, DIM, generator=generator)
    queries = F.normalize(centroids[labels] + noise / DIM**0.5)

    # The centroids move from call to call, in the same way if the rules are equal.
    ours_moved, loop_moved = centroids.clone(), centroids.clone()
    times = [
        median_ms(repeats, update, moved, queries, labels, MOMENTUM)
        for update, moved in ((ours, ours_moved), (loop, loop_moved))
    ]
    same = torch.equal(ours_moved, loop_moved)
    return _row(f'{name} update', f'{BATCH} × {DIM}', *times, same)


def compare_centroids(n_images: int, repeats: int) -> Row:
    """Measure the centroids of all clusters, as they are made before an epoch.

    Args:
        n_images: number of images N; a fifth of them is un-clustered.
        repeats: number of measured calls of each way.

    Returns:
        The row of the table.
    """
    features, labels, _ = generate_features(n_images, DIM)
    labels = np.unique(labels, return_inverse=True)[1]
    labels[np.random.default_rng(0).random(n_images) < 0.2] = -1
    ways = cluster_centroids, centroid_loop
    times = [median_ms(repeats, way, features, labels) for way in ways]
    close = np.allclose(*(way(features, labels) for way in ways), rtol=0, atol=1e-6)
    return _row('centroids', f'{n_images} × {DIM}', *times, bool(close))


def median_ms(
    repeats: int, call: Callable[..., object], *arguments: object
) -> tuple[float, float]:
    """Return the median milliseconds of a call, on the clock and of the CPU.

    Args:
        repeats: the number of measured calls, after the first ones.
        call: the function to measure.
        *arguments: arguments of the call.
    """
    spent = []
    for _ in range(WARM_UP + repeats):
        cpu, start = time.process_time(), time.perf_counter()
        call(*arguments)
        spent.append((time.perf_counter() - start, time.process_time() - cpu))
    seconds, cpu_seconds = np.median(spent[WARM_UP:], axis=0)
    return float(1000 * seconds), float(1000 * cpu_seconds)


def _row(
    what: str,
    size: str,
    ours: tuple[float, float],
    loop: tuple[float, float],
    same: bool,
) -> Row:
    row: Row = {'what': what, 'size': size}
    row |= {'ours ms': ours[0], 'ours CPU ms': ours[1]}
    row |= {'loop ms': loop[0], 'loop CPU ms': loop[1]}
    row |= {'ratio': loop[0] / ours[0], 'CPU ratio': loop[1] / ours[1]}
    return row | {'same': same}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--repeats', type=int, default=200, help='calls of each update')
    parser.add_argument(
        '--images', type=int, default=12_936, help='images to compute centroids of'
    )
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()

    torch.set_num_threads(1)
    rows = [
        compare_updates('momentum', momentum_update, momentum_loop, args.repeats),
        compare_updates('hard', hard_update, hard_loop, args.repeats),
        compare_centroids(args.images, max(3, args.repeats // 20)),
    ]
    print_table(rows)
    if args.json:
        write_json(args.json, rows)


if __name__ == '__main__':
    main()
