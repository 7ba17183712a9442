"""Train a config with one thing changed at a time, and compare the results.

    python tools/analysis_tools/ablate.py configs/ablations/paper_synthetic.py

A grid is a Python or JSON file: the ``config`` to start from, ``seeds``, ``options``
for all runs, and ``groups``, each with named values and the options that they set, as
in ``configs/ablations/paper_synthetic.py``. Every run is ``tools/train.py`` in a
process and a work dir of its own. A finished run is not repeated, and an interrupted
one is resumed. Equal configs are run once.

The results are written to ``ablation.md``, ``ablation.json`` and ``ablation.png`` in
the work dir.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config

from mmreid_cc.visualization.curves import read_scalars

TRAIN = Path(__file__).parents[1] / 'train.py'
GRID_KEYS = {'config', 'seeds', 'options', 'groups'}
COLUMNS = {
    'mAP': 'mAP, last',
    'best_mAP': 'mAP, best',
    'rank1': 'rank-1, last',
    'clusters': 'clusters, last',
    'ARI': 'ARI, last',
    'memory_bytes': 'memory, kB',
    'seconds': 'seconds',
}
PANELS_IN_A_ROW = 4
Row = dict[str, Any]


def read_grid(file: Path) -> dict[str, Any]:
    """Read a grid, and check its keys.

    Args:
        file: Python or JSON; ``config`` is taken from the working directory, else from
            the folder of the grid.

    Returns:
        The grid, with all keys.
    """
    grid = Config.fromfile(file).to_dict()
    unknown = set(grid) - GRID_KEYS
    if unknown or 'groups' not in grid or 'config' not in grid:
        raise ValueError(
            f'{file}: a grid has `config` and `groups`, and may have `seeds` and '
            f'`options`; got {sorted(grid)}.'
        )
    paths = Path(grid['config']), file.parent / grid['config']
    found = [path for path in paths if path.exists()]
    if not found:
        raise FileNotFoundError(f'{file}: `config`, {grid["config"]}, does not exist.')
    defaults = {'seeds': [1], 'options': {}}
    return {**defaults, **grid, 'config': found[0]}


def merged_config(grid: dict[str, Any], options: dict[str, Any], seed: int) -> str:
    """Return the config of a run, as text."""
    config = Config.fromfile(grid['config'])
    config.merge_from_dict(grid['options'])
    config.merge_from_dict(options)
    config.merge_from_dict({'randomness.seed': seed})
    return config.pretty_text


def run(config: str, work_dir: Path) -> Row:
    """Train once, unless that is done, and read the results.

    Args:
        config: The config of the run, as text.
        work_dir: The folder of the run.

    Returns:
        The columns of the table.
    """
    # Not in the work dir, where MMEngine writes its own version of it.
    file, result = work_dir.with_suffix('.py'), work_dir / 'result.json'
    work_dir.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.read_text(encoding='utf-8') != config:
        raise ValueError(
            f'{work_dir} holds a run of another config. Delete it and {file}, or give '
            'another --work-dir.'
        )
    if not result.exists():
        file.write_text(config, encoding='utf-8')
        start = time.perf_counter()
        command = [sys.executable, TRAIN, file, '--work-dir', work_dir, '--resume']
        with (work_dir / 'train.log').open('a', encoding='utf-8') as log:
            done = subprocess.run(command, stdout=log, stderr=log, check=False)
        if done.returncode:
            raise RuntimeError(f'Training failed: see {work_dir / "train.log"}')
        row = summarize(work_dir, time.perf_counter() - start)
        result.write_text(json.dumps(row), encoding='utf-8')
    return json.loads(result.read_text(encoding='utf-8'))


def summarize(work_dir: Path, seconds: float) -> Row:
    """Read the results of a finished run from its log."""
    curves = {
        name: [value for _, value in sorted(curve)]
        for name, curve in read_scalars(work_dir).items()
    }
    row = {
        'mAP': curves['reid/mAP'][-1],
        'best_mAP': max(curves['reid/mAP']),
        'rank1': curves['reid/CMC@1'][-1],
        'clusters': curves['cluster/clusters'][-1],
        'memory_bytes': max(curves['cluster/memory_bytes']),
        'seconds': seconds,
    }
    if 'cluster/ARI' in curves:
        row['ARI'] = curves['cluster/ARI'][-1]
    return row


def run_grid(grid: dict[str, Any], work_dir: Path) -> list[Row]:
    """Do all runs of a grid.

    Args:
        grid: A grid from :func:`read_grid`.
        work_dir: The folder that gets a folder for each run.

    Returns:
        For each value of each group ``group``, ``value`` and, for each column, a list
        of the results by seed.
    """
    runs: dict[str, Path] = {}
    rows = []
    for group, values in grid['groups'].items():
        for value, options in values.items():
            results = []
            for seed in grid['seeds']:
                config = merged_config(grid, options, seed)
                own = work_dir / folder_name(f'{group}-{value}-{seed}')
                results.append(run(config, runs.setdefault(config, own)))
                print(f'{group} {value}, seed {seed}: {results[-1]}', flush=True)
            columns = {
                name: [result[name] for result in results]
                for name in COLUMNS
                if name in results[0]
            }
            rows.append({'group': group, 'value': value, **columns})
    return rows


def folder_name(text: str) -> str:
    """Convert a text to the name of a folder."""
    return ''.join(c if c.isalnum() or c == '-' else '_' for c in text)


def table(rows: list[Row]) -> str:
    """Format the results in Markdown: means over seeds, ± the deviation of the
    sample.
    """
    names = [name for name in COLUMNS if any(name in row for row in rows)]
    header = ['', '', *(COLUMNS[name] for name in names)]
    lines = [header, ['---'] * len(header)]
    last = None
    for row in rows:
        cells = [_cell(name, row.get(name)) for name in names]
        lines.append(
            [row['group'] if row['group'] != last else '', row['value'], *cells]
        )
        last = row['group']
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def _cell(name: str, values: list[float] | None) -> str:
    if values is None:
        return ''
    if name == 'memory_bytes':
        return f'{max(values) / 1024:.1f}'
    digits = {'ARI': 2, 'clusters': 0, 'seconds': 0}.get(name, 1)
    text = f'{np.mean(values):.{digits}f}'
    if len(values) > 1 and name != 'seconds':
        text += f' ± {np.std(values, ddof=1):.{digits}f}'
    return text


def draw(rows: list[Row], out_file: Path) -> None:
    """Draw the last mAP of every value, a panel for each group."""
    groups = list(dict.fromkeys(row['group'] for row in rows))
    highest = max(max(row['mAP']) for row in rows)
    columns = min(len(groups), PANELS_IN_A_ROW)
    lines = -(-len(groups) // columns)
    figure = Figure(figsize=(3.2 * columns, 3.2 * lines), layout='constrained')
    axes = figure.subplots(lines, columns, squeeze=False)
    for ax in axes.flat[len(groups) :]:
        ax.remove()
    for ax, group in zip(axes.flat, groups, strict=False):
        own = [row for row in rows if row['group'] == group]
        places = np.arange(len(own))
        ax.bar(
            places, [np.mean(row['mAP']) for row in own], color='tab:blue', alpha=0.5
        )
        for place, row in zip(places, own, strict=True):
            ax.plot([place] * len(row['mAP']), row['mAP'], 'k.', markersize=5)
        ax.set_xticks(places, [row['value'] for row in own], rotation=45, ha='right')
        ax.set_title(group, fontsize=10)
        ax.set_ylim(0, 1.1 * highest)
        ax.grid(alpha=0.3, axis='y')
    figure.supylabel('mAP after the last epoch, percent', fontsize=10)
    figure.savefig(out_file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('grid', type=Path)
    parser.add_argument(
        '--work-dir', type=Path, help='folder (default: work_dirs/<grid>)'
    )
    args = parser.parse_args()
    work_dir = args.work_dir or Path('work_dirs', args.grid.stem)
    rows = run_grid(read_grid(args.grid), work_dir)
    (work_dir / 'ablation.json').write_text(json.dumps(rows, indent=1))
    (work_dir / 'ablation.md').write_text(table(rows), encoding='utf-8')
    draw(rows, work_dir / 'ablation.png')
    print(table(rows))


if __name__ == '__main__':
    main()
