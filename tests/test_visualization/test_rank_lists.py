"""Rank lists: who is listed, and a picture whose frames have the right colours."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from mmreid_cc.visualization import draw_rank_lists, rank_lists
from mmreid_cc.visualization.rank_lists import RIGHT, WRONG


@pytest.fixture
def lists(tmp_path):
    """One query and five gallery images, of which one is junk and one excluded."""
    paths = []
    for index in range(6):
        paths.append(tmp_path / f'{index}.png')
        Image.new('RGB', (8, 16), (128, 128, 128)).save(paths[-1])
    angles = np.radians([0, 40, 10, 20, 0, 5])
    return rank_lists(
        features=np.stack([np.cos(angles), np.sin(angles)], axis=1),
        pids=np.array([7, 7, 8, 9, 7, -1]),
        cam_ids=np.array([1, 2, 2, 1, 1, 2]),
        is_query=np.array([True] + [False] * 5),
        paths=np.array([str(path) for path in paths]),
        queries=[0],
    )


def test_protocol(lists):
    (ranked,) = lists
    assert [path[-5] for path in ranked.paths] == ['2', '3', '1']
    assert ranked.matches == [False, False, True]
    assert ranked.cams == [2, 1, 2]
    np.testing.assert_allclose(ranked.similarities, np.cos(np.radians([10, 20, 40])))


@pytest.mark.parametrize('suffix', ['png', 'svg'])
def test_picture(lists, tmp_path, suffix):
    file = tmp_path / f'sheet.{suffix}'
    draw_rank_lists(lists, file)
    if suffix == 'svg':
        assert RIGHT in file.read_text()
        assert WRONG in file.read_text()
        return
    pixels = np.asarray(Image.open(file).convert('RGB')).astype(int)
    for color, images in ((RIGHT, 1), (WRONG, 2)):
        distance = np.abs(pixels - 255 * np.array(to_rgb(color))).max(axis=2)
        assert (distance < 4).sum() > 200 * images


def test_nothing_to_draw(tmp_path):
    with pytest.raises(ValueError, match='no rank list'):
        draw_rank_lists([], tmp_path / 'sheet.png')
