"""Which boxes become crops."""

from pathlib import Path

import numpy as np
import pytest
from conftest import write_crop
from PIL import Image

from mmreid_cc.datasets.video import CropRules, Tracks, choose_crops
from mmreid_cc.datasets.video.selection import sharpness


def tracks_of(rows):
    """Tracks of rows (frame, id, x, y, w, h, confidence)."""
    rows = np.array(rows, dtype=float)
    frames, ids = rows[:, :2].astype(int).T
    lines = np.arange(1, len(rows) + 1)
    texts = [''] * len(rows)
    return Tracks(Path('a.txt'), lines, frames, ids, rows[:, 2:6], rows[:, 6], texts)


def chosen(rows, **rules):
    return choose_crops(tracks_of(rows), 200, 100, CropRules(**rules))


def test_spread_over_the_time_of_a_track():
    # Track 1 stands in frames 1–10, and comes again in 91–100; 2 is short.
    frames = [*range(1, 11), *range(91, 101)]
    rows = [(frame, 1, 0, 0, 20, 50, 1) for frame in frames]
    rows += [(frame, 2, 100, 0, 20, 50, 1) for frame in (5, 6)]
    rows += [(frame, -1, 50, 0, 20, 50, 1) for frame in range(1, 8)]
    result = chosen(rows, per_track=4)
    ids = tracks_of(rows).ids[result.rows]
    cut = tracks_of(rows).frames[result.rows]
    assert (np.diff(cut) >= 0).all()
    # The nearest to 13.4, 38.1, 62.9, 87.6: two of them are frame 10, and two 91.
    assert cut[ids == 1].tolist() == [10, 91]
    assert cut[ids == 2].tolist() == [5, 6]
    assert (ids == -1).sum() == 7  # no track, no limit
    even = chosen([(frame, 1, 0, 0, 20, 50, 1) for frame in range(1, 101)], per_track=4)
    assert even.rows.tolist() == [12, 37, 62, 87]
    assert len(chosen(rows, per_track=None, every=5).rows) == 2 + 2 + 1 + 2


def test_what_is_left_out():
    rows = [
        (1, 1, -10, 0, 40, 50, 0.9),  # a quarter is outside
        (1, 2, -30, 0, 40, 50, 0.9),  # three quarters
        (2, 3, 0, 0, 40, 20, 0.9),  # low
        (2, 4, 0, 60, 40, 90, 0.9),  # 40 pixels of it are in the picture
        (3, 5, 0, 0, 40, 50, 0.3),
        (4, 6, 0, 0, 40, 50, 0.8),
        (4, 7, 1, 0, 40, 50, 0.9),  # 6 and 7: the same person
        (4, 8, 21, 0, 40, 50, 0.9),  # half covered by 7
    ]
    result = chosen(rows, min_confidence=0.5, min_height=32)
    assert result.rows.tolist() == [0, 6, 7]
    assert result.areas[0].tolist() == [0, 0, 30, 50]
    assert result.left_out == {
        'outside of the picture': 2,
        'too small': 1,
        'of low confidence': 1,
        'found twice': 1,
    }
    assert chosen(rows, max_overlap=0.4).left_out['overlapped'] == 3
    assert chosen(rows, max_overlap=0.6).rows.tolist() == [0, 4, 6, 7]


def test_margin():
    result = chosen([(1, 1, 100, 10, 20, 40, 1)], margin=0.5)
    assert result.areas.tolist() == [[90, 0, 130, 70]]


def test_rules_out_of_range():
    for rules in (
        dict(every=0),
        dict(per_track=0),
        dict(min_width=0),
        dict(max_overlap=2),
        dict(margin=-1),
    ):
        with pytest.raises(ValueError, match=f'{next(iter(rules))} must'):
            CropRules(**rules)


def test_sharpness(tmp_path):
    write_crop(tmp_path / 'a.png', 1, 1, (128, 64))
    crop = Image.open(tmp_path / 'a.png')
    blurred = crop.resize((8, 16)).resize((64, 128))
    assert sharpness(np.asarray(crop)) > 3 * sharpness(np.asarray(blurred)) > 0
