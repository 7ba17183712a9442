"""Draws sampling.png: ``python docs/images/sampling.py``."""

from pathlib import Path

import numpy as np
from sketch import COLORS, GRAY, arrow, box, canvas, crop

from mmreid_cc.datasets import RandomMultipleGallerySampler

# Cluster, person, camera and moment of every image; −1 is un-clustered.
IMAGES = np.array(
    [
        *[(0, 1, *shot) for shot in ((0, 0), (0, 1), (1, 2), (2, 3))],
        *[(1, 4, *shot) for shot in ((0, 0), (1, 1), (1, 2), (3, 3))],
        *[(2, 7, *shot) for shot in ((1, 0), (1, 1), (2, 2), (3, 3))],
        *[(-1, 9, 2, 0), (-1, 5, 3, 0)],
    ]
)
LABELS, CAMERAS = IMAGES[:, 0], IMAGES[:, 2]
STEP = 0.205


class Crops:
    """What the sampler asks of a data set."""

    def __len__(self) -> int:
        return len(IMAGES)

    def column(self, name: str) -> np.ndarray:
        """The cameras."""
        return CAMERAS


def draw_image(figure, ax, x, y, image, color):
    _, person, camera, moment = IMAGES[image]
    crop(figure, x, y, person, camera, color, height=0.145, moment=moment)
    ax.text(
        x + 0.0174, y - 0.036, f'c{camera + 1}', ha='center', fontsize=8, color=GRAY
    )


def main() -> None:
    sampler = RandomMultipleGallerySampler(Crops(), 2, 3, 1, seed=4)
    sampler.set_labels(LABELS)
    batch = np.array(list(sampler)).reshape(2, 3)

    figure, ax = canvas(10, 4.8)
    box(ax, 0.02, 0.06, 0.42, 0.84, 'all images by pseudo label')
    for cluster in (0, 1, 2, -1):
        y = 0.735 - STEP * (cluster % 4)
        color = COLORS[cluster] if cluster >= 0 else None
        name = f'cluster {cluster}' if cluster >= 0 else 'un-clustered,\nnot drawn'
        ax.text(0.035, y + 0.08, name, va='center', fontsize=10, color=color or GRAY)
        for column, image in enumerate(np.flatnonzero(cluster == LABELS)):
            draw_image(figure, ax, 0.16 + 0.068 * column, y, image, color)

    arrow(
        ax,
        (0.455, 0.5),
        (0.585, 0.5),
        'P clusters drawn,\nK images of each',
        offset=(0, 0.04),
    )
    box(ax, 0.6, 0.2, 0.37, 0.6, 'a batch: P = 2 clusters × K = 3 images')
    for row, images in enumerate(batch):
        y = 0.54 - 0.27 * row
        for column, image in enumerate(images):
            x = 0.64 + (0.07 if column else 0) + 0.075 * column
            draw_image(figure, ax, x, y, image, COLORS[LABELS[image]])
    ax.text(0.66, 0.745, 'any image', ha='center', fontsize=9, color=GRAY)
    ax.text(
        0.845, 0.745, 'then from other cameras', ha='center', fontsize=9, color=GRAY
    )
    ax.text(0.785, 0.1, 'c1 … c4: the camera of an image', ha='center', fontsize=9)
    figure.savefig(Path(__file__).with_suffix('.png'), dpi=110)


if __name__ == '__main__':
    main()
