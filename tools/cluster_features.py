"""Cluster embeddings of extract_features.py, and write the label of each image."""

import argparse
from pathlib import Path

import numpy as np

from mmreid_cc.apis.feature_clustering import (
    cluster_in_memory,
    feature_files,
    write_label_table,
)
from mmreid_cc.atomic_writing import check_writable
from mmreid_cc.clustering.sharded import RayTasks, cluster_files
from mmreid_cc.engine.cfg_options import OptionsAction
from mmreid_cc.ray_session import LOCAL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'features',
        nargs='+',
        help='Parquet files, or folders that tools/extract_features.py --ray wrote',
    )
    parser.add_argument(
        '--out',
        required=True,
        help='.parquet file for the path and the label of each image',
    )
    parser.add_argument(
        '--dbscan',
        nargs='*',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='settings of DBSCAN, such as eps=0.6 min_samples=4 k1=30 k2=6; those that '
        "you leave out are the paper's (default: settings found from the features)",
    )
    group = parser.add_argument_group(
        'many images',
        'With --ray, several workers cluster, and no process holds all embeddings. '
        'After an interruption, the same command continues the run.',
    )
    group.add_argument(
        '--ray',
        nargs='?',
        const=LOCAL,
        metavar='ADDRESS',
        help='cluster on a Ray cluster (auto or HOST:PORT), or without an address on '
        'the cores of this machine',
    )
    group.add_argument(
        '--workers',
        type=int,
        help='number of tasks at the same time (default: one for each core)',
    )
    group.add_argument(
        '--work-dir',
        help='folder for intermediate results, which all machines must see (default: '
        'OUT.work)',
    )
    args = parser.parse_args()
    if Path(args.out).suffix.lower() != '.parquet':
        parser.error(f'--out must end in .parquet, not {args.out!r}')
    if args.ray is None and (args.workers, args.work_dir) != (None, None):
        parser.error('--workers and --work-dir need --ray')

    files = feature_files(args.features)
    check_writable(Path(args.out), files)
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
            f'{stage}: {cost.seconds:.1f} s, {cost.cpu_seconds:.1f} CPU s, largest '
            f'peak memory of a worker {cost.peak_mb:.0f} MB'
        )
    print(
        f'You can remove {folder}. It saves time if you cluster the same files again.'
    )
    return labels


if __name__ == '__main__':
    main()
