"""Cluster embeddings of extract_features.py, and write the label of each image."""

import argparse
from pathlib import Path

import numpy as np
from mmengine.config import DictAction

from mmreid_cc.apis.feature_clustering import (
    cluster_in_memory,
    feature_files,
    write_label_table,
)
from mmreid_cc.clustering.sharded import RayTasks, cluster_files
from mmreid_cc.ray_session import LOCAL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'features',
        nargs='+',
        help='Parquet files, or folders that tools/extract_features.py --ray wrote',
    )
    parser.add_argument('--out', required=True, help='output: .parquet, path and label')
    parser.add_argument(
        '--dbscan',
        nargs='*',
        action=DictAction,
        metavar='KEY=VALUE',
        help='settings of DBSCAN, such as eps=0.6 min_samples=4 k1=30 k2=6, where one '
        'is not named that of the paper (default: settings found from the features)',
    )
    group = parser.add_argument_group(
        'many images',
        'With --ray several workers cluster, and no process holds all embeddings. '
        'After an interruption the same command goes on.',
    )
    group.add_argument(
        '--ray',
        nargs='?',
        const=LOCAL,
        metavar='ADDRESS',
        help='cluster on a Ray cluster (auto, or HOST:PORT), without an address on the '
        'cores of this machine',
    )
    group.add_argument(
        '--workers',
        type=int,
        help='tasks at the same time (default: one for each core)',
    )
    group.add_argument(
        '--work-dir',
        help='folder of what workers find, which all machines see (default: OUT.work)',
    )
    args = parser.parse_args()
    if Path(args.out).suffix.lower() != '.parquet':
        parser.error(f'--out must end in .parquet, not {args.out!r}')
    if args.ray is None and (args.workers, args.work_dir) != (None, None):
        parser.error('--workers and --work-dir need --ray')

    files = feature_files(args.features)
    labels = labels_of(args, files)
    write_label_table(args.out, files, labels)
    clusters, unclustered = int(labels.max()) + 1, int((labels < 0).sum())
    print(
        f'{clusters} clusters in {len(labels)} images, {unclustered} un-clustered: '
        f'{args.out}'
    )


def labels_of(args: argparse.Namespace, files: list[Path]) -> np.ndarray:
    """Cluster in this process, or on the workers of Ray."""
    if args.ray is None:
        return cluster_in_memory(files, args.dbscan)
    folder = args.work_dir or f'{args.out}.work'
    with RayTasks(args.ray, args.workers) as tasks:
        labels = cluster_files(files, folder, tasks, args.dbscan)
    for stage, cost in tasks.costs.items():
        print(
            f'{stage}: {cost.seconds:.1f} s, {cost.cpu_seconds:.1f} CPU s, workers '
            f'hold {cost.peak_mb:.0f} MB at most'
        )
    print(f'{folder} is no longer needed, but for another clustering like this one.')
    return labels


if __name__ == '__main__':
    main()
