"""A small test set with grey crops at known angles, and what is read off a sheet."""

import numpy as np
from PIL import Image

from mmreid_cc.visualization import EmbeddedImages


def write_crops(folder):
    """Write eight grey crops; return their paths."""
    paths = [folder / f'{index}.png' for index in range(8)]
    for path in paths:
        Image.new('RGB', (8, 16), (128, 128, 128)).save(path)
    return np.array([str(path) for path in paths])


def small_test_set(folder):
    """Query 0 of person 7 and query 6 of person 8, six gallery images, in the plane.

    Of query 0: image 4 is the same person and camera, 5 is junk, 1 the only match.
    """
    angles = np.radians([0, 40, 10, 20, 0, 5, 10, 80])
    return EmbeddedImages(
        paths=write_crops(folder),
        features=np.stack([np.cos(angles), np.sin(angles)], axis=1),
        pids=np.array([7, 7, 8, 9, 7, -1, 8, 3]),
        cam_ids=np.array([1, 2, 2, 1, 1, 2, 1, 1]),
        is_query=np.array([True] + [False] * 5 + [True, False]),
    )


def texts(figure):
    """All that is written on a sheet."""
    return [text.get_text() for text in figure.axes[0].texts]
