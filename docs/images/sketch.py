"""What the drawings of this folder share: crops, boxes, arrows."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from mmreid_cc.datasets.pedestrians import draw_pedestrian

COLORS = ('#1f77b4', '#ff7f0e', '#2ca02c')
GRAY = '#555555'


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty page whose axes run from 0 to 1."""
    figure = Figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.axis('off')
    return figure, ax


def crop(figure, x, y, person, camera, color=None, height=0.2, moment=None):
    """Put a crop on the figure, its lower left corner at x, y."""
    width = height / 2 * figure.get_figheight() / figure.get_figwidth()
    ax = figure.add_axes((x, y, width, height))
    moment = camera if moment is None else moment
    ax.imshow(draw_pedestrian(0, person, camera, moment))
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set(color=color or GRAY, linewidth=2.5 if color else 0.8)


def box(ax, x, y, width, height, title):
    style = FancyBboxPatch(
        (x, y), width, height, boxstyle='round,pad=0.005', fill=False, edgecolor=GRAY
    )
    ax.add_patch(style)
    ax.text(x + width / 2, y + height + 0.025, title, ha='center', fontsize=11)


def arrow(ax, start, end, text='', bend=0.0, offset=(0, 0.03), color=GRAY, style='-|>'):
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle=style,
            mutation_scale=16,
            color=color,
            connectionstyle=f'arc3,rad={bend}',
        )
    )
    middle = np.mean([start, end], axis=0) + offset
    ax.text(*middle, text, ha='center', fontsize=9, color=GRAY)
