"""Curves over the epochs of a run, from the log that MMEngine writes."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

PANELS = {
    'Held-out test set': (('reid/mAP', 'mAP'), ('reid/CMC@1', 'rank-1')),
    'Clusters': (('cluster/clusters', 'clusters'),),
    'Un-clustered images': (('cluster/unclustered', 'un-clustered'),),
    'Pseudo labels against identities': (
        ('cluster/ARI', 'ARI'),
        ('cluster/NMI', 'NMI'),
        ('cluster/purity', 'purity'),
    ),
    'Loss': (('loss', 'loss'),),
}
UNITS = {
    'Held-out test set': 'percent',
    'Clusters': 'number',
    'Un-clustered images': 'share of images',
}

Curve = list[tuple[float, float]]


def read_scalars(work_dir: str | Path) -> dict[str, Curve]:
    """Read the scalars of the newest training run in a work dir.

    Args:
        work_dir (str | Path): Of ``tools/train.py``.

    Returns:
        dict[str, Curve]: For each name the pairs of epochs trained so far and value;
        the loss is the mean of each epoch.

    Raises:
        FileNotFoundError: If no run of training has logged there.
    """
    for file in sorted(Path(work_dir).glob('*/vis_data/scalars.json'), reverse=True):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        if any('loss' in line for line in lines):
            return _curves(lines)
    raise FileNotFoundError(
        f'{work_dir} holds no <time>/vis_data/scalars.json of a training run. Give the '
        'work dir of tools/train.py, and keep LocalVisBackend among its `vis_backends`.'
    )


def _curves(lines: list[dict]) -> dict[str, Curve]:
    curves: dict[str, Curve] = {}
    losses: dict[int, list[float]] = {}
    for line in lines:
        if 'loss' in line:
            losses.setdefault(line['epoch'], []).append(line['loss'])
            continue
        for name, value in line.items():
            curves.setdefault(name, []).append((line['step'], value))
    # The first epoch is trained from 0 to 1: its mean loss stands in the middle.
    curves['loss'] = [
        (epoch - 0.5, float(np.mean(values))) for epoch, values in losses.items()
    ]
    return curves


def draw_curves(curves: Mapping[str, Curve], out_file: str | Path) -> None:
    """Draw mAP and rank-1, clusters, their quality and the loss as small multiples.

    Args:
        curves (Mapping[str, Curve]): As of :func:`read_scalars`; what is missing is
            left out.
        out_file (str | Path): PNG, SVG or PDF by its suffix.

    Raises:
        ValueError: If there is nothing to draw.
    """
    panels = {
        title: [(name, label) for name, label in parts if name in curves]
        for title, parts in PANELS.items()
    }
    panels = {title: parts for title, parts in panels.items() if parts}
    if not panels:
        raise ValueError(f'None of the curves to draw is among {sorted(curves)}.')
    figure = Figure(figsize=(3.2 * len(panels), 2.8), layout='constrained')
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (title, parts) in zip(axes, panels.items(), strict=True):
        for name, label in parts:
            epochs, values = zip(*curves[name], strict=True)
            ax.plot(epochs, values, marker='o', markersize=3, label=label)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel('epochs trained')
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylabel(UNITS.get(title, ''))
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.3)
        if len(parts) > 1:
            ax.legend(fontsize=8)
    figure.savefig(out_file, dpi=110)
