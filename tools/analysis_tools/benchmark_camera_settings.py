r"""Compare clusterers that look across cameras with one that does not.

    python tools/extract_features.py CONFIG CHECKPOINT data/cuhk03/bounding_box_train \
        --pattern '(?P<pid>[0-9]+)_c(?P<cam>[0-9])' --out osnet.npz
    python tools/analysis_tools/benchmark_camera_settings.py training=osnet.npz

The table has a row for each subset of the images that benchmark_settings.py makes, with
the F1 of pairs across cameras, the F1 of all pairs, the estimated number of people, and
the CPU seconds, each by ByCamera, AutoAgglomerative, and AutoDBSCAN, which ignores
cameras. ``best`` is the largest F1 across cameras of all candidates of
AutoAgglomerative, which only identities tell. The table is Markdown; ``--json`` writes
the rows to a file.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from benchmark_clustering import write_json
from benchmark_settings import Indices, Row, read_gallery, subsets
from numpy.typing import NDArray
from stage_meter import measure

from mmreid_cc.clustering import AutoAgglomerative, AutoDBSCAN, ByCamera, pair_f1
from mmreid_cc.clustering.auto_agglomerative import camera_grid, camera_sweep


def compare(features: NDArray[np.float32], pids: Indices, cam_ids: Indices) -> Row:
    """Cluster by all, and find the best candidate of one across cameras.

    Args:
        features: (N, D), L2-normalised.
        pids: (N,) identities.
        cam_ids: (N,) cameras.

    Returns:
        The row of the table.
    """
    row: Row = {'images': len(features), 'people': len(np.unique(pids))}
    clusterers = ByCamera(), AutoAgglomerative(), AutoDBSCAN()
    for clusterer in clusterers:
        with measure() as cost:
            labels = clusterer.fit_predict(features, cam_ids=cam_ids)
        row[type(clusterer).__name__] = {
            'F1 across cameras': pair_f1(labels, pids, cam_ids),
            'F1': pair_f1(labels, pids),
            'estimate': clusterer.people[0] if clusterer.people else 0,
            'CPU seconds': cost.cpu_seconds,
        }
    found = camera_sweep(features, cam_ids, camera_grid(len(np.unique(cam_ids))))
    best = max(pair_f1(labels, pids, cam_ids) for _, labels in found)
    return {**row, 'best': best}


def print_row(name: str, row: Row) -> None:
    """Print a row of the Markdown table."""

    def of_all(key: str, form: str) -> str:
        names = ('ByCamera', 'AutoAgglomerative', 'AutoDBSCAN')
        return ', '.join(format(row[name][key], form) for name in names)

    cells: list[Any] = [name, row['images'], of_all('F1 across cameras', '.3f')]
    cells += [f'{row["best"]:.3f}', of_all('F1', '.3f'), row['people']]
    cells += [of_all('estimate', 'd'), of_all('CPU seconds', '.1f')]
    print('| ' + ' | '.join(map(str, cells)) + ' |', flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('features', nargs='+', metavar='NAME=FILE')
    parser.add_argument(
        '--parts', nargs='+', metavar='SUBSET', help="such as 'all' (default: each)"
    )
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()

    header = ['case', 'images', 'F1 across cameras', 'best', 'F1 of all pairs']
    header += ['people', 'estimates', 'CPU s']
    print('| ' + ' | '.join(header) + ' |')
    print('|---' * len(header) + '|')
    rows: list[Row] = []
    for given in args.features:
        name, file = given.split('=', 1)
        features, pids, cam_ids = read_gallery(file)
        for part, images in subsets(pids, cam_ids):
            if args.parts and part not in args.parts:
                continue
            if len(np.unique(cam_ids[images])) > 1:
                row = compare(features[images], pids[images], cam_ids[images])
                rows.append({'case': f'{name}, {part}', **row})
                print_row(f'{name}, {part}', row)
    if args.json:
        write_json(args.json, rows)


if __name__ == '__main__':
    main()
