"""Curves over the epochs of a run, from MMEngine's log."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .colors import CYCLE

COLUMNS = 3
MARKERS = 'os^'

Curve = list[tuple[float, float]]
Panel = tuple[str, str, float, Mapping[str, Curve | None]]

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
    return _figure(
        [
            (
                title,
                unit,
                factor,
                {label: curves.get(name) for name, label in labels.items()},
            )
            for title, unit, factor, labels in PANELS
        ]
    )


def comparison_figure(runs: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """Draw the curves of several runs into the same panels, a colour for each run.

    Of mAP and rank-1, this shows mAP, of clusters and people the clusters, and of ARI,
    NMI and purity the ARI.

    Args:
        runs (Mapping[str, Mapping[str, Curve]]): Curves from :func:`read_scalars` by
            name of the run; what is missing is left out.

    Returns:
        Figure: A figure with a panel for each subject.

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> runs = {name: read_scalars(f'work_dirs/{name}') for name in ('a', 'b')}
        >>> figure = comparison_figure(runs)
    """
    panels = []
    for title, unit, factor, labels in PANELS:
        name, label = next(iter(labels.items()))
        said = len(labels) == 1 or label == title.lower()
        what = title if said else f'{title}: {label}'
        shown = {run: curves.get(name) for run, curves in runs.items()}
        panels.append((what, unit, factor, shown))
    return _figure(panels)


def _figure(panels: Sequence[Panel]) -> Figure:
    panels = [panel for panel in panels if any(panel[3].values())]
    if not panels:
        wanted = ', '.join(name for *_, labels in PANELS for name in labels)
        raise ValueError(f'There is nothing to draw: no log of {wanted}.')
    last_epoch = max(
        curve[-1][0] for *_, curves in panels for curve in curves.values() if curve
    )
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.6 * columns, 2.9 * rows), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, (title, unit, factor, curves) in zip(axes, panels, strict=False):
        _draw_panel(ax, curves, factor, last_epoch or 1)
        ax.set_title(title, fontsize=11)
        ax.set_ylabel(unit)
    for ax in axes[len(panels) :]:
        ax.axis('off')
    return figure


def _draw_panel(
    ax: Axes, curves: Mapping[str, Curve | None], factor: float, last_epoch: float
) -> None:
    drawn = []
    for index, (label, curve) in enumerate(curves.items()):
        if not curve:
            continue  # the others keep their colours
        epochs, values = zip(*curve, strict=True)
        drawn.append(factor * np.array(values))
        ax.plot(
            epochs,
            drawn[-1],
            color=CYCLE[index % len(CYCLE)],
            marker=MARKERS[index % len(MARKERS)],
            markersize=4,
            label=label,
        )
    ax.set_xlabel('epochs trained')
    ax.set_xlim(-0.03 * last_epoch, 1.03 * last_epoch)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    largest = max(values.max() for values in drawn)
    ax.set_ylim(min(0, ax.get_ylim()[0]), 1.08 * largest if largest > 0 else None)
    ax.grid(alpha=0.3)
    if len(curves) > 1:
        ax.legend(fontsize=9)
