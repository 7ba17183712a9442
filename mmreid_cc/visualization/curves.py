"""Curves over the epochs of a run, from MMEngine's log."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .colors import CYCLE

COLUMNS = 3
MARKERS = 'os^'

Curve = list[tuple[float, float]]

# Title, unit, factor of what is logged, and name in the log and label of each curve.
PANELS = (
    (
        'Held-out test set',
        'percent',
        1,
        {'reid/mAP': 'mAP', 'reid/CMC@1': 'rank-1'},
    ),
    (
        'Clusters',
        'number',
        1,
        {'cluster/clusters': 'clusters', 'cluster/people': 'people, estimated'},
    ),
    (
        'Un-clustered images',
        'percent of images',
        100,
        {'cluster/unclustered': 'un-clustered'},
    ),
    (
        'Clusters judged without identities',
        'silhouette, 1 = apart',
        1,
        {'cluster/silhouette': 'silhouette'},
    ),
    (
        'Pseudo labels against identities',
        'index, 1 = equal',
        1,
        {'cluster/ARI': 'ARI', 'cluster/NMI': 'NMI', 'cluster/purity': 'purity'},
    ),
    ('Loss', 'mean of an epoch', 1, {'loss': 'loss'}),
)


def read_scalars(work_dir: str | Path) -> dict[str, Curve]:
    """Read the scalars of the training in a work dir.

    The log of a resumed run replaces what was logged for the same epochs before. If a
    run started again from the first epoch, or was resumed within it, only the new log
    is read.

    Args:
        work_dir (str | Path): Work dir of ``tools/train.py``.

    Returns:
        dict[str, Curve]: For each name the pairs of epochs trained so far and value;
        the loss is the mean of each epoch.

    Raises:
        FileNotFoundError: If no run of training has logged there.

    Example:
        >>> read_scalars('work_dirs/demo')['reid/mAP']
        [(0, 22.3), (1, 31.5), (2, 36.6)]
    """
    losses: dict[int, float] = {}  # by iteration
    epochs: dict[int, int] = {}  # of iterations
    others: dict[str, dict[int, float]] = {}  # by epochs trained
    for file in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        text = file.read_text()
        whole = text[: text.rfind('\n') + 1]  # a killed run may leave half a line
        lines = [json.loads(line) for line in whole.splitlines()]
        trained = [line for line in lines if 'loss' in line]
        if not trained:
            continue  # of a test
        begun, iteration = trained[0]['epoch'] - 1, trained[0]['step']
        if begun == 0:
            losses, others = {}, {}
        losses = {step: loss for step, loss in losses.items() if step < iteration}
        for name, values in others.items():
            others[name] = {at: value for at, value in values.items() if at <= begun}
        for line in trained:
            losses[line['step']] = line['loss']
            epochs[line['step']] = line['epoch']
        for line in lines:
            if 'loss' not in line:
                for name, value in line.items():
                    others.setdefault(name, {})[line['step']] = value
    if not losses:
        raise FileNotFoundError(
            f'{work_dir} holds no <time>/vis_data/scalars.json of a training run. Give '
            'the work dir of tools/train.py, and keep LocalVisBackend among its '
            '`vis_backends`.'
        )
    by_epoch: dict[int, list[float]] = {}
    for step, loss in losses.items():
        by_epoch.setdefault(epochs[step], []).append(loss)
    curves: dict[str, Curve] = {
        name: sorted(values.items()) for name, values in others.items() if values
    }
    # The first epoch lasts from 0 to 1, so its mean loss is drawn in the middle.
    curves['loss'] = [
        (epoch - 0.5, float(np.mean(values))) for epoch, values in by_epoch.items()
    ]
    return curves


def curve_figure(curves: Mapping[str, Curve]) -> Figure:
    """Draw mAP and rank-1, clusters, their quality and the loss as small multiples.

    Args:
        curves (Mapping[str, Curve]): Curves from :func:`read_scalars`; what is missing
            is left out.

    Returns:
        Figure: A figure with a panel for each subject.

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> figure = curve_figure(read_scalars('work_dirs/demo'))
    """
    panels = [panel for panel in PANELS if any(name in curves for name in panel[3])]
    if not panels:
        raise ValueError(f'None of the curves to draw is among {sorted(curves)}.')
    last_epoch = max(curve[-1][0] for curve in curves.values()) or 1
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.6 * columns, 2.9 * rows), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, (title, unit, factor, labels) in zip(axes, panels, strict=False):
        shown = {
            label: curves[name] for name, label in labels.items() if name in curves
        }
        _draw_panel(ax, shown, factor, last_epoch)
        ax.set_title(title, fontsize=11)
        ax.set_ylabel(unit)
    for ax in axes[len(panels) :]:
        ax.axis('off')
    return figure


def _draw_panel(
    ax: Axes, curves: Mapping[str, Curve], factor: float, last_epoch: float
) -> None:
    for index, (label, curve) in enumerate(curves.items()):
        epochs, values = zip(*curve, strict=True)
        ax.plot(
            epochs,
            factor * np.array(values),
            color=CYCLE[index],
            marker=MARKERS[index],
            markersize=4,
            label=label,
        )
    ax.set_xlabel('epochs trained')
    ax.set_xlim(-0.03 * last_epoch, 1.03 * last_epoch)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    largest = factor * max(value for curve in curves.values() for _, value in curve)
    ax.set_ylim(min(0, ax.get_ylim()[0]), 1.08 * largest if largest > 0 else None)
    ax.grid(alpha=0.3)
    if len(curves) > 1:
        ax.legend(fontsize=9)
