r"""Compare AutoAgglomerative, which looks across cameras, with AutoDBSCAN.

    python tools/extract_features.py CONFIG CHECKPOINT data/cuhk03/bounding_box_train \
        --pattern '(?P<pid>[0-9]+)_c(?P<cam>[0-9])' --out osnet.npz
    python tools/analysis_tools/benchmark_camera_settings.py training=osnet.npz

The table has a row for each subset of the images that benchmark_settings.py makes, with
the F1 of all pairs and of pairs across cameras. ``best`` is the largest F1 across
cameras of all candidates of AutoAgglomerative, which only identities tell. The table is
Markdown; ``--json`` writes the rows to a file.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from benchmark_clustering import write_json
from benchmark_settings import Indices, Row, read_gallery, subsets
from numpy.typing import NDArray
from stage_meter import measure

from mmreid_cc.clustering import AutoAgglomerative, AutoDBSCAN, pair_f1
from mmreid_cc.clustering.auto_agglomerative import camera_grid, camera_sweep


def compare(features: NDArray[np.float32], pids: Indices, cam_ids: Indices) -> Row:
    """Cluster by both, and find the best candidate across cameras.

    Args:
        features: (N, D), L2-normalised.
        pids: (N,) identities.
        cam_ids: (N,) cameras.

    Returns:
        The row of the table.
    """
    row: Row = {'images': len(features), 'people': len(np.unique(pids))}
    blind, across = AutoDBSCAN(), AutoAgglomerative()
    for clusterer in (blind, across):
        with measure() as cost:
            labels = clusterer.fit_predict(features, cam_ids=cam_ids)
        row[type(clusterer).__name__] = {
            'F1': pair_f1(labels, pids),
            'F1 across cameras': pair_f1(labels, pids, cam_ids),
            'estimate': clusterer.people[0] if clusterer.people else 0,
            'CPU seconds': cost.cpu_seconds,
        }
    found = camera_sweep(features, cam_ids, camera_grid())
    best = max(pair_f1(labels, pids, cam_ids) for _, labels in found)
    share = row['AutoAgglomerative']['F1 across cameras'] / best
    return {**row, 'chosen': across.chosen, 'best': best, 'share': share}


def print_row(name: str, row: Row) -> None:
    """Print a row of the Markdown table."""
    blind, across = row['AutoDBSCAN'], row['AutoAgglomerative']
    chosen = ' '.join(map(str, (row['chosen'] or {}).values())) or 'no people'
    cells: list[Any] = [name, row['images'], chosen]
    pairs = 'F1 across cameras'
    cells += [f'{value:.3f}' for value in (across[pairs], row['best'])]
    cells += [f'{row["share"]:.2f}', f'{blind[pairs]:.3f}']
    cells += [f'{across["F1"]:.3f}', f'{blind["F1"]:.3f}', row['people']]
    cells += [f'{across["estimate"]} / {blind["estimate"]}']
    cells += [f'{across["CPU seconds"]:.1f} / {blind["CPU seconds"]:.1f}']
    print('| ' + ' | '.join(map(str, cells)) + ' |', flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('features', nargs='+', metavar='NAME=FILE')
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()

    header = ['case', 'images', 'k, threshold, smallest', 'F1 across cameras', 'best']
    header += ['share', "AutoDBSCAN's", 'F1 of all pairs', "AutoDBSCAN's", 'people']
    header += ['estimates', 'CPU s']
    print('| ' + ' | '.join(header) + ' |')
    print('|---' * len(header) + '|')
    rows: list[Row] = []
    for given in args.features:
        name, file = given.split('=', 1)
        features, pids, cam_ids = read_gallery(file)
        for part, images in subsets(pids, cam_ids):
            if len(np.unique(cam_ids[images])) > 1:
                row = compare(features[images], pids[images], cam_ids[images])
                rows.append({'case': f'{name}, {part}', **row})
                print_row(f'{name}, {part}', row)
    if args.json:
        write_json(args.json, rows)


if __name__ == '__main__':
    main()
