"""Tracks that follow one person twice."""

from pathlib import Path

import numpy as np

from mmreid_cc.datasets.video import Tracks, join_twins


def tracks_of(rows):
    """Tracks of rows (frame, id, x, confidence)."""
    frames, ids, lefts, confidences = np.array(rows, dtype=float).T
    boxes = np.stack([lefts, 0 * lefts, 0 * lefts + 40, 0 * lefts + 80], axis=1)
    return Tracks(
        Path('a.txt'),
        np.arange(1, len(rows) + 1),
        frames.astype(int),
        ids.astype(int),
        boxes,
        confidences,
        [f'{line}' for line in range(len(rows))],
    )


def test_two_tracks_of_one_person():
    """Track 2 is 1, found twice; 5 walks through 1; −1 is nobody's track."""
    rows = [(frame, 1, 10 * frame, 0.6) for frame in range(10)]
    rows += [(frame, 2, 10 * frame + 1, 0.5 + 0.02 * frame) for frame in range(4, 10)]
    rows += [(frame, 5, 40 + 5 * (frame - 4), 0.9) for frame in range(10)]
    rows += [(frame, -1, 10 * frame, 0.9) for frame in range(10)]
    tracks = tracks_of(rows)
    joined = join_twins(tracks)
    assert sorted(set(joined.ids.tolist())) == [-1, 1, 5]
    own = joined.ids == 1
    assert joined.frames[own].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert (joined.boxes[own, 0] % 10).tolist() == [0] * 6 + [1] * 4
    assert [joined.pids[row] for row in np.flatnonzero(own)][-1] == '15'
    assert (joined.ids == 5).sum() == (joined.ids == -1).sum() == 10
    assert join_twins(tracks_of(rows[:10] + rows[16:26])).ids.tolist() == (
        [1] * 10 + [5] * 10
    )
