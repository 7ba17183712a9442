"""Curves: read from the log of a run, drawn as panels."""

import json

import pytest
from PIL import Image

from mmreid_cc.visualization import draw_curves, read_scalars


@pytest.fixture
def work_dir(tmp_path):
    """A run of two epochs of two iterations, and a later one that only tested."""
    lines = [
        {'reid/mAP': 10.0, 'reid/CMC@1': 20.0, 'time': 1.0, 'step': 0},
        {'cluster/clusters': 5.0, 'cluster/ARI': 0.1, 'step': 0},
        {'loss': 4.0, 'epoch': 1, 'iter': 1, 'step': 1},
        {'loss': 2.0, 'epoch': 1, 'iter': 2, 'step': 2},
        {'reid/mAP': 30.0, 'reid/CMC@1': 50.0, 'time': 1.0, 'step': 1},
        {'cluster/clusters': 8.0, 'cluster/ARI': 0.4, 'step': 1},
        {'loss': 1.0, 'epoch': 2, 'iter': 3, 'step': 3},
    ]
    for time, part in (('20260101_000000', lines), ('20260102_000000', lines[:1])):
        file = tmp_path / time / 'vis_data' / 'scalars.json'
        file.parent.mkdir(parents=True)
        file.write_text('\n'.join(json.dumps(line) for line in part))
    return tmp_path


def test_read(work_dir):
    curves = read_scalars(work_dir)
    assert curves['reid/mAP'] == [(0, 10.0), (1, 30.0)]
    assert curves['cluster/clusters'] == [(0, 5.0), (1, 8.0)]
    assert curves['loss'] == [(0.5, 3.0), (1.5, 1.0)]


def test_draw(work_dir):
    curves = read_scalars(work_dir)
    draw_curves(curves, work_dir / 'all.png')
    draw_curves({'loss': curves['loss']}, work_dir / 'loss.png')
    wide = Image.open(work_dir / 'all.png').width
    assert wide == pytest.approx(4 * Image.open(work_dir / 'loss.png').width, rel=0.02)
    draw_curves(curves, work_dir / 'all.svg')
    assert 'svg' in (work_dir / 'all.svg').read_text()[:500]


def test_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'holds no .*scalars.json'):
        read_scalars(tmp_path)
    with pytest.raises(ValueError, match=r"None of the curves .*\['x'\]"):
        draw_curves({'x': [(0, 1)]}, tmp_path / 'x.png')
