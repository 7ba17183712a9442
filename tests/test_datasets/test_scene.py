"""The drawn scene: videos, true and noisy tracks, and the data set of its crops."""

import csv
from collections import defaultdict
from itertools import pairwise

import av
import numpy as np
import pytest

from mmreid_cc.datasets import SyntheticScene
from mmreid_cc.datasets.pedestrians import write_scene
from mmreid_cc.datasets.pedestrians.walks import plan_walks

SMALL = dict(people=6, cameras=2, seconds=14, fps=5)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('drawn') / 'scene'
    SyntheticScene(root, **SMALL)
    return root


def rows_of(file):
    with open(file, encoding='utf-8') as lines:
        return [
            {name: float(value) for name, value in row.items()}
            for row in csv.DictReader(lines)
        ]


def overlap(one, other):
    """Intersection over union."""
    w = min(one['x'] + one['w'], other['x'] + other['w']) - max(one['x'], other['x'])
    h = min(one['y'] + one['h'], other['y'] + other['h']) - max(one['y'], other['y'])
    shared = max(w, 0) * max(h, 0)
    return shared / (one['w'] * one['h'] + other['w'] * other['h'] - shared)


def test_walks():
    walks = plan_walks(0, people=40, cameras=3, seconds=60)
    cameras = defaultdict(list)
    for camera, own in enumerate(walks):
        assert [walk.number for walk in own] == list(range(1, len(own) + 1))
        for walk in own:
            cameras[walk.person].append(
                (walk.start, walk.start + walk.duration, camera)
            )
    assert sorted(cameras) == list(range(1, 41))
    twice = 0
    for visits in cameras.values():
        visits.sort()
        # Nobody is before two cameras at once; two cameras or more see everybody.
        assert all(a[1] < b[0] for a, b in pairwise(visits))
        assert len({camera for _, _, camera in visits}) >= 2
        twice += len(visits) > len({camera for _, _, camera in visits})
    assert 5 <= twice <= 25


def test_tracks_of_the_tracker(root):
    for name in ('cam1', 'cam2'):
        true, noisy = (
            rows_of(root / f'{name}_true.csv'),
            rows_of(root / f'{name}_tracks.csv'),
        )
        boxes = {(row['frame'], row['pid']): row for row in true}
        assert len(boxes) == len(true) > len(noisy) > 0.6 * len(true)
        ious = [overlap(row, boxes[row['frame'], row['pid']]) for row in noisy]
        assert min(ious) > 0.6
        assert np.mean(ious) > 0.9
        walks = {row['id'] for row in true}
        assert len({row['id'] for row in noisy}) > 0.8 * len(walks)


def test_people_are_where_the_true_boxes_say(root):
    """The picture differs from the empty one within the boxes, and not far outside."""
    with av.open(str(root / 'cam1.mp4')) as container:
        frames = [f.to_ndarray(format='gray') for f in container.decode(video=0)]
    assert len(frames) == 70
    assert frames[0].shape == (360, 640)
    empty = np.median(frames, axis=0)
    inside, outside = [], []
    for number in (20, 35, 50):
        covered = np.zeros((360, 640), bool)
        for row in rows_of(root / 'cam1_true.csv'):
            if row['frame'] == number:
                x, y, w, h = (round(row[side]) for side in 'xywh')
                covered[max(y, 0) : y + h + 12, max(x - 20, 0) : x + w + 20] = True
        change = abs(frames[number - 1] - empty)
        inside.append(change[covered].mean() if covered.any() else np.nan)
        outside.append(change[~covered].mean())
    assert np.nanmean(inside) > 3 * np.mean(outside)


def test_the_same_arguments_give_the_same_scene(root, tmp_path):
    write_scene(tmp_path / 'again', **SMALL)
    for file in (tmp_path / 'again').iterdir():
        if file.suffix != '.json':
            assert file.read_bytes() == (root / file.name).read_bytes()
    with pytest.raises(FileExistsError, match='seed is 0, wanted 1'):
        SyntheticScene(root, seed=1, **SMALL)
    with pytest.raises(ValueError, match='fps must be between 1 and 60, got 0'):
        SyntheticScene(root, **{**SMALL, 'fps': 0})


def test_data_set(root):
    train = SyntheticScene(root, **SMALL)
    tracks, times = train.column('track'), train.column('time')
    assert set(train.column('pid')) <= set(range(1, 7))
    assert len(set(train.column('cam_id'))) == 2
    assert (tracks > 0).all()
    assert ((times >= 0) & (times < 14)).all()
    assert np.bincount(tracks).max() <= 12
    test = SyntheticScene(root, split='test', **SMALL)
    is_query, pids, cams = map(test.column, ('is_query', 'pid', 'cam_id'))
    queries = list(zip(pids[is_query], cams[is_query], strict=True))
    assert len(queries) == len(set(queries)) == 12
    assert set(pids[is_query]) == set(pids[~is_query])
