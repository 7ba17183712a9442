"""Rank lists: who is listed, and a picture whose frames have the right colours."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from small_test_set import small_test_set, texts

from mmreid_cc.visualization import (
    choose_queries,
    figure_pixels,
    rank_list_sheet,
    rank_lists,
)
from mmreid_cc.visualization.rank_lists import IGNORED, RIGHT, WRONG


@pytest.fixture
def images(tmp_path):
    return small_test_set(tmp_path)


def names(ranked):
    return [result.path[-5] for result in ranked.results]


def test_protocol(images):
    (ranked,) = rank_lists(images, [0])
    assert names(ranked) == ['4', '5', '2', '3', '1', '7']
    assert [result.rank for result in ranked.results] == [None, None, 1, 2, 3, 4]
    matches = [result.match for result in ranked.results]
    assert matches == [True, False, False, False, True, False]
    assert [result.cam_id for result in ranked.results] == [1, 2, 2, 1, 2, 1]
    np.testing.assert_allclose(
        [result.similarity for result in ranked.results],
        np.cos(np.radians([0, 5, 10, 20, 40, 80])),
    )
    assert ranked.average_precision == pytest.approx(1 / 3)


def test_lengths(images):
    (ranked,) = rank_lists(images, [0], topk=2, ignored=0)
    assert names(ranked) == ['2', '3']
    (ranked,) = rank_lists(images, [0], topk=2, ignored=1)
    assert names(ranked) == ['4', '2', '3']


def test_without_cameras(images):
    (ranked,) = rank_lists(replace(images, exclude_same_camera=False), [0], topk=1)
    assert ranked.results[0].path.endswith('4.png')
    assert ranked.results[0].rank == 1


def test_unknown_cameras_are_not_shown(images):
    """ReIDImageFolder has 0 for them."""
    unknown = replace(images, cam_ids=0 * images.cam_ids, exclude_same_camera=False)
    written = texts(rank_list_sheet({'All': rank_lists(unknown, [0])}))
    assert written[2] == 'query'
    assert written[3] == '✓ 1\n1.00'


def test_choice(images):
    """Query 6 finds its match first, query 0 third; without a match, neither."""
    chosen = choose_queries(images, 1)
    assert chosen['best'].tolist() == [6]
    assert chosen['worst'].tolist() == [0]
    assert choose_queries(images, 5)['random'].tolist() == [0, 6]
    pids = images.pids.copy()
    pids[6] = 55
    assert choose_queries(replace(images, pids=pids), 5)['best'].tolist() == [0]


def test_picture(images):
    figure = rank_list_sheet({'All': rank_lists(images, [0])})
    written = texts(figure)
    assert written[:3] == ['All', 'AP 33%', 'query\nc1']
    assert written[3] == 'same camera\nc1, 1.00'
    assert written[4] == 'junk\nc2, 1.00'
    assert written[5] == '✗ 1\nc2, 0.98'
    assert written[7] == '✓ 3\nc2, 0.77'
    assert len(figure.axes[0].images) == 7
    pixels = figure_pixels(figure).astype(int)
    for color, frames in ((RIGHT, 1), (WRONG, 3), (IGNORED, 2)):
        distance = np.abs(pixels - 255 * np.array(to_rgb(color))).max(axis=2)
        assert (distance < 4).sum() > 250 * frames


def test_errors(images):
    with pytest.raises(ValueError, match='no image to draw'):
        rank_list_sheet({'None': []})
    with pytest.raises(ValueError, match='columns must be of one length'):
        replace(images, pids=images.pids[1:])
    with pytest.raises(ValueError, match='0 queries and 8 gallery images'):
        replace(images, is_query=np.zeros(8, dtype=bool))
