"""Data that several tests share, drawn by code."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def write_crop(
    path: Path, pid: int, seed: int, size: tuple[int, int] = (64, 32)
) -> None:
    """Write a crop whose colour belongs to the identity, with some noise."""
    color = np.random.default_rng(pid).integers(40, 216, (4, 1, 3))
    noise = np.random.default_rng(seed).integers(-15, 16, (*size, 3))
    image = np.repeat(color, size[0] // 4, axis=0) + noise
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.broadcast_to(image, (*size, 3)).astype(np.uint8)).save(path)


@pytest.fixture(scope='session')
def market_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set in the layout of Market-1501 whose identities differ by colour.

    Train: 8 identities × 2 cameras × 3 shots. Test: 4 identities × 2 cameras, one query
    and two gallery images each, and one distractor and one junk image.
    """
    root = tmp_path_factory.mktemp('market')
    seed = 0
    for pid in range(1, 13):
        for cam in (1, 2):
            for shot in range(3):
                seed += 1
                folder = 'bounding_box_train'
                if pid > 8:
                    folder = 'query' if shot == 0 else 'bounding_box_test'
                name = f'{pid:04d}_c{cam}s1_{seed:06d}_00.jpg'
                write_crop(root / folder / name, pid, seed)
    write_crop(root / 'bounding_box_test' / '0000_c1s1_000000_00.jpg', 99, 998)
    write_crop(root / 'bounding_box_test' / '-1_c1s1_000000_00.jpg', 98, 999)
    (root / 'bounding_box_train' / 'Thumbs.db').write_bytes(b'not an image')
    return root
