r"""Compare AutoDBSCAN with the best of its settings, which only identities tell.

    python tools/extract_features.py CONFIG CHECKPOINT data/cuhk03/bounding_box_train \
        --pattern '(?P<pid>[0-9]+)_c(?P<cam>[0-9])' --out osnet.npz
    python tools/analysis_tools/benchmark_settings.py OSNet=osnet.npz --subsets

The table has a row for each file and, with ``--subsets``, for subsets of its images:
some of each person, some people, a long tail, one camera, people seen once. The last
row is for uniform noise. The table is Markdown; ``--json`` writes the rows to a file.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from benchmark_clustering import write_json
from numpy.typing import NDArray
from stage_meter import measure

from mmreid_cc.clustering import DBSCAN, AutoDBSCAN, knn, pair_f1
from mmreid_cc.clustering.auto_dbscan import sweep
from mmreid_cc.clustering.setting_grid import default_grid

Row = dict[str, Any]
Indices = NDArray[np.int64]
ALONE = 0.3  # share of images of people seen once


def read_gallery(file: str) -> tuple[NDArray[np.float32], Indices, Indices]:
    """Read features, identities 0…P−1 and cameras 0…C−1 from a gallery."""
    with np.load(file) as arrays:
        features = arrays['embeddings'].astype(np.float32)
        pids = np.unique(arrays['metadata/pid'], return_inverse=True)[1]
        cam_ids = np.unique(arrays['metadata/cam_id'], return_inverse=True)[1]
    return features, pids, cam_ids


def subsets(pids: Indices, cam_ids: Indices) -> Iterator[tuple[str, Indices]]:
    """Yield parts of a data set that its owner might have.

    Args:
        pids: (N,) identities 0…P−1.
        cam_ids: (N,) cameras.

    Yields:
        The name of a part, and its images.
    """
    rng = np.random.default_rng(0)
    images = [rng.permutation(np.flatnonzero(pids == pid)) for pid in np.unique(pids)]
    people = rng.permutation(len(images))
    yield 'all', np.arange(len(pids))
    for count in (2, 4, 8):
        yield f'{count} of each', np.concatenate([own[:count] for own in images])
    for count in (20, 100):
        yield f'{count} people', np.concatenate([images[i] for i in people[:count]])
    sizes = np.maximum(1, 20 / np.sqrt(np.arange(1, len(images) + 1))).astype(int)
    tail = [images[i][:size] for i, size in zip(people, sizes, strict=True)]
    yield 'long tail', np.concatenate(tail)
    yield 'one camera', np.flatnonzero(cam_ids == cam_ids.min())
    several = [images[i] for i in people[:70]]
    count = round(sum(map(len, several)) * ALONE / (1 - ALONE))
    alone = [images[i][:1] for i in people[70 : 70 + count]]
    yield '30 % of people seen once', np.concatenate(several + alone)
    several = [own for own in images if len(own) > 1]
    ends = [[own.min(), own.max()] for own in several]
    yield 'first and last of each', np.concatenate(ends)


def compare(features: NDArray[np.float32], pids: Indices | None, seeds: range) -> Row:
    """Cluster, and compare the clusters with those of all settings.

    Args:
        features: (N, D), L2-normalised.
        pids: (N,) identities; None where there are none.
        seeds: the seeds of the choice.

    Returns:
        The row of the table.
    """
    scores, chosen, people = [], [], []
    for seed in seeds:
        clusterer = AutoDBSCAN(seed=seed)
        with measure() as cost:
            labels = clusterer.fit_predict(features)
        scores.append(0.0 if pids is None else pair_f1(labels, pids))
        chosen.append(clusterer.chosen)
        people.append(clusterer.people)
    with measure() as default:
        paper = DBSCAN().fit_predict(features)
    row: Row = {'images': len(features), 'people': 0, 'estimate': people[0]}
    row.update(chosen=chosen[0], cpu_seconds=cost.cpu_seconds)
    row.update(default_cpu_seconds=default.cpu_seconds)
    if pids is None:
        return {**row, 'found': int(labels.max()) + 1}
    grid = default_grid(len(features))
    neighbors = knn(features, max(settings['k1'] for settings in grid))[0]
    found = sweep(features, neighbors.astype(np.int32), grid)
    best = max(pair_f1(labels, pids) for _, labels in found)
    row.update(people=len(np.unique(pids)), best=best, paper=pair_f1(paper, pids))
    return {**row, 'F1': scores[0], 'share': scores[0] / best, 'F1 of seeds': scores}


def print_row(name: str, row: Row) -> None:
    """Print a row of the Markdown table."""
    settings = row['chosen']
    names = ('k1', 'k2', 'eps', 'min_samples')
    text = ' '.join(str(settings[key]) for key in names) if settings else 'no people'
    cells: list[Any] = [name, row['images'], text]
    if 'F1' in row:
        scores = row['F1 of seeds']
        cells += [f'{row[key]:.3f}' for key in ('F1', 'best')]
        cells += [f'{row["share"]:.2f}', f'{max(scores) - min(scores):.3f}']
        cells += [f'{row["paper"]:.3f}', row['people']]
    else:
        cells += [''] * 5 + [0]
    if row['estimate']:
        cells.append('{} ({}–{})'.format(*row['estimate']))
    else:
        cells.append('none')
    cells.append(f'{row["cpu_seconds"]:.1f} / {row["default_cpu_seconds"]:.1f}')
    print('| ' + ' | '.join(map(str, cells)) + ' |', flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('features', nargs='+', metavar='NAME=FILE')
    parser.add_argument(
        '--subsets', nargs='*', metavar='NAME', help='subsets to use (default: all)'
    )
    parser.add_argument('--seeds', type=int, default=5)
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()

    rows: list[Row] = []
    header = ['case', 'images', 'k1, k2, eps, min_samples', 'F1', 'best', 'share']
    header += ['over seeds', "paper's", 'people', 'estimate', 'CPU s / default']
    print('| ' + ' | '.join(header) + ' |')
    print('|---' * len(header) + '|')

    def add(name: str, *arguments: Any) -> None:
        row = compare(*arguments, range(args.seeds))
        rows.append({'case': name, **row})
        print_row(name, row)

    for given in args.features:
        name, file = given.split('=', 1)
        features, pids, cam_ids = read_gallery(file)
        parts = [('all', np.arange(len(pids)))]
        if args.subsets is not None and name in (args.subsets or [name]):
            parts = list(subsets(pids, cam_ids))
        for part, images in parts:
            add(f'{name}, {part}', features[images], pids[images])
    noise = np.random.default_rng(0).normal(size=(2000, 256)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    add('uniform noise', noise, None)
    shares = [row['share'] for row in rows if 'share' in row]
    print(f'\nMedian share {np.median(shares):.3f}, least {min(shares):.3f}')
    if args.json:
        write_json(args.json, rows)


if __name__ == '__main__':
    main()
