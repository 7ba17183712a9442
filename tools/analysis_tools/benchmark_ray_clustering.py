"""Measure clustering on Ray: seconds, memory and bytes, beside one process.

    python tools/analysis_tools/benchmark_ray_clustering.py --images 100000 300000

Features are generated, 256 dimensions. Each size is clustered by one process, and by
the workers of Ray on this machine. What the model of costs predicts for each size from
the one before is printed beside what was measured. Linux only.
"""

import argparse
import json
import multiprocessing
import operator
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from feature_generator import generate_features
from pyarrow import parquet
from sklearn.metrics import adjusted_rand_score
from stage_meter import measure

from mmreid_cc.apis.feature_clustering import cluster_in_memory
from mmreid_cc.apis.parquet_file import embedding_table
from mmreid_cc.atomic_writing import replacing
from mmreid_cc.clustering.sharded import RayTasks, cluster_files
from mmreid_cc.clustering.sharded.layout import ROWS_PER_BLOCK
from mmreid_cc.clustering.sharded.tasks import Cost

Row = dict[str, Any]
SHARD_ROWS = 4096
SETTINGS = dict(eps=0.6, min_samples=4, k1=30, k2=6)  # the paper's
# With which power of N the CPU seconds of a stage grow: each row meets the centroids of
# 4·√N cells, and a 32nd of all rows. All else grows with N.
POWERS = {'cells': 1.5, 'proposals-0': 2.0}
# What these stages read for a block of rows is spread over most files, as long as the
# blocks are few: bytes grow with the number of blocks, too.
SPREAD = ('proposals', 'neighbors', 'mutual', 'encoding', 'expanded', 'distance')


def write_shards(folder: Path, n_images: int) -> None:
    """Write features as the tool for extraction does."""
    features = generate_features(n_images)[0]
    for first in range(0, n_images, SHARD_ROWS):
        shard = features[first : first + SHARD_ROWS]
        paths = [f'crops/{row:09d}.jpg' for row in range(first, first + len(shard))]
        table = embedding_table(shard, paths, {})
        known = {'model_hash': 'generated'}
        file = folder / f'{first:09d}.parquet'
        parquet.write_table(table.replace_schema_metadata(known), file)


def by_one_process(folder: Path) -> Row:
    """Cluster in one process."""
    files = sorted(folder.glob('*.parquet'))
    settings = dict(SETTINGS, knn=dict(method='ivf'))
    cluster_in_memory(files[:1], settings)  # compiles
    with measure() as cost:
        labels = cluster_in_memory(files, settings)
    np.save(folder / 'one.npy', labels)
    return {'s': cost.seconds, 'CPU s': cost.cpu_seconds, 'MB': cost.added_mb}


def by_ray(folder: Path, workers: int) -> Row:
    """Cluster by workers of Ray on this machine."""
    files = sorted(folder.glob('*.parquet'))
    begin = time.perf_counter()
    with RayTasks(workers=workers) as tasks:
        # A task that does nothing costs what Ray and the libraries take.
        tasks.run('idle', operator.eq, None, range(4 * workers))
        start = time.perf_counter()
        labels = cluster_files(files, folder / 'work', tasks, SETTINGS)
        seconds = time.perf_counter() - start
    np.save(folder / 'ray.npy', labels)
    base = tasks.costs.pop('idle').peak_mb
    total = Cost()
    for cost in tasks.costs.values():
        total.add(cost)
    return {
        's': seconds,
        'CPU s': total.cpu_seconds,
        'MB': total.peak_mb - base,
        'read MB': total.read_mb,
        'written MB': total.written_mb,
        'libraries MB': base,
        'start s': start - begin,
        'stages': {stage: vars(cost) for stage, cost in tasks.costs.items()},
    }


def n_blocks(n_images: int, workers: int) -> int:
    """Return the number of blocks in which workers read the neighbourhoods of rows."""
    size = -(-n_images // (4 * workers))  # of a group
    return 4 * workers * -(-size // ROWS_PER_BLOCK)


def predicted(before: Row, n_images: int) -> Row:
    """Predict the costs of more images from the stages of fewer."""
    growth = n_images / before['N']
    blocks, blocks_before = (
        n_blocks(n, before['workers']) for n in (n_images, before['N'])
    )
    found = {'CPU s': 0.0, 's': 0.0, 'read MB': 0.0, 'written MB': 0.0}
    for stage, cost in before['stages'].items():
        factor = growth ** POWERS.get(stage, 1.0)
        found['s'] += factor * cost['seconds']
        found['CPU s'] += factor * cost['cpu_seconds']
        spread = blocks / blocks_before if stage.startswith(SPREAD) else 1
        found['read MB'] += growth * spread * cost['read_mb']
        found['written MB'] += growth * cost['written_mb']
    return found


def alone(function: Callable[..., Row], *arguments: Any) -> Row:
    """Call a function in a fresh process, so that stages do not share memory."""
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def show(name: str, row: Row) -> None:
    """Print the numbers of a row."""
    numbers = {k: v for k, v in row.items() if isinstance(v, int | float)}
    print(f'{name}: ' + ', '.join(f'{v:.1f} {k}' for k, v in numbers.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--images', type=int, nargs='+', default=[10_000, 30_000])
    parser.add_argument('--workers', type=int, nargs='*', default=[2])
    parser.add_argument(
        '--skip-one', action='store_true', help='leave out the run in one process'
    )
    parser.add_argument('--json', help='write the figures to this file')
    args = parser.parse_args()
    rows: list[Row] = []
    for n_images in args.images:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            alone(write_shards, folder, n_images)
            if not args.skip_one:
                row = {'N': n_images, 'workers': 0, **alone(by_one_process, folder)}
                show(f'{n_images} images, one process', row)
                rows.append(row)
            for workers in args.workers:
                row = {'N': n_images, 'workers': workers}
                row |= alone(by_ray, folder, workers)
                show(f'{n_images} images, {workers} workers', row)
                for before in rows:
                    if before['workers'] == workers and before['N'] < n_images:
                        model = predicted(before, n_images)
                        show(f'  predicted from {before["N"]}', model)
                rows.append(row)
                shutil.rmtree(folder / 'work')
            if args.workers and not args.skip_one:
                one, ray = (np.load(folder / f'{n}.npy') for n in ('one', 'ray'))
                print(f'  ARI of both labels: {adjusted_rand_score(one, ray):.4f}')
        if args.json:
            with replacing(Path(args.json)) as part:
                part.write_text(json.dumps(rows, indent=1))


if __name__ == '__main__':
    main()
