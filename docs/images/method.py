"""Draws method.png: ``python docs/images/method.py``."""

from pathlib import Path

import numpy as np
from matplotlib.patches import FancyBboxPatch
from sketch import COLORS, arrow, box, canvas, crop

PEOPLE = (1, 4, 7)


def main() -> None:
    figure, ax = canvas(11, 4.4)

    box(ax, 0.02, 0.12, 0.2, 0.76, '1  all crops, no labels')
    order = np.random.default_rng(3).permutation(9)
    for place, number in enumerate(order):
        x, y = 0.035 + 0.062 * (place % 3), 0.63 - 0.245 * (place // 3)
        crop(figure, x, y, PEOPLE[number % 3], int(number // 3))

    arrow(ax, (0.225, 0.5), (0.325, 0.5), 'features,\ncluster', offset=(0, 0.04))
    box(ax, 0.33, 0.12, 0.2, 0.76, '2  pseudo labels')
    for row, person in enumerate(PEOPLE):
        for camera in range(3):
            x, y = 0.345 + 0.062 * camera, 0.63 - 0.245 * row
            crop(figure, x, y, person, camera, COLORS[row])

    arrow(ax, (0.535, 0.5), (0.635, 0.5), 'mean of\neach cluster', offset=(0, 0.04))
    box(ax, 0.64, 0.12, 0.07, 0.76, '3  memory')
    rng = np.random.default_rng(0)
    for row, color in enumerate(COLORS):
        for cell in range(6):
            shade = 0.25 + 0.75 * rng.random()
            y = 0.64 - 0.245 * row + 0.03 * cell
            ax.add_patch(
                FancyBboxPatch(
                    (0.662, y),
                    0.026,
                    0.022,
                    boxstyle='square,pad=0',
                    fc=color,
                    alpha=shade,
                )
            )

    box(ax, 0.84, 0.12, 0.14, 0.76, '4  batch of P × K')
    for row, person in enumerate(PEOPLE[:2]):
        for column, camera in enumerate((3, 0)):
            x, y = 0.852 + 0.062 * column, 0.6 - 0.32 * row
            crop(figure, x, y, person, camera, COLORS[row], height=0.2)
    arrow(ax, (0.835, 0.62), (0.715, 0.62), 'contrast with\nall vectors: loss')
    arrow(
        ax,
        (0.835, 0.3),
        (0.715, 0.3),
        'each query moves\nits own vector',
        offset=(0, -0.11),
    )
    ax.text(0.5, 0.03, 'before every epoch: 1 → 2 → 3', ha='right', fontsize=9)
    ax.text(0.98, 0.03, 'every iteration: 4 ⇄ 3', ha='right', fontsize=9)
    figure.savefig(Path(__file__).with_suffix('.png'), dpi=110)


if __name__ == '__main__':
    main()
