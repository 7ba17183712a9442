"""Curves: read from the log of a run, drawn as panels."""

import json

import numpy as np
import pytest

from mmreid_cc.visualization import comparison_figure, curve_figure, read_scalars


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
    log(tmp_path / '20260101_000000', lines)
    log(tmp_path / '20260102_000000', lines[:1])
    return tmp_path


def log(folder, lines):
    """Write what LocalVisBackend writes."""
    file = folder / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text(''.join(f'{json.dumps(line)}\n' for line in lines))


def test_read(work_dir):
    curves = read_scalars(work_dir)
    assert curves['reid/mAP'] == [(0, 10.0), (1, 30.0)]
    assert curves['cluster/clusters'] == [(0, 5.0), (1, 8.0)]
    assert curves['loss'] == [(0.5, 3.0), (1.5, 1.0)]


def test_resumed_in_the_second_epoch(work_dir):
    """What was logged of it before is replaced, the rest is kept."""
    lines = [
        {'loss': 5.0, 'epoch': 2, 'iter': 3, 'step': 3},
        {'loss': 7.0, 'epoch': 2, 'iter': 4, 'step': 4},
        {'reid/mAP': 40.0, 'step': 2},
    ]
    log(work_dir / '20260103_000000', lines)
    curves = read_scalars(work_dir)
    assert curves['reid/mAP'] == [(0, 10.0), (1, 30.0), (2, 40.0)]
    assert curves['cluster/clusters'] == [(0, 5.0), (1, 8.0)]
    assert curves['loss'] == [(0.5, 3.0), (1.5, 6.0)]


def test_killed_while_it_wrote(work_dir):
    file = work_dir / '20260101_000000' / 'vis_data' / 'scalars.json'
    file.write_text(file.read_text()[:-5])
    assert read_scalars(work_dir)['loss'] == [(0.5, 3.0)]


def test_begun_anew(work_dir):
    log(work_dir / '20260103_000000', [{'loss': 5.0, 'epoch': 1, 'step': 1}])
    assert read_scalars(work_dir) == {'loss': [(0.5, 5.0)]}


def test_begun_anew_and_logged_more_seldom(work_dir):
    """The first line is later than the first of the run before."""
    lines = [
        {'cluster/clusters': 6.0, 'step': 0},
        {'loss': 5.0, 'epoch': 1, 'step': 2},
    ]
    log(work_dir / '20260103_000000', lines)
    curves = read_scalars(work_dir)
    assert curves['loss'] == [(0.5, 5.0)]
    assert curves['cluster/clusters'] == [(0, 6.0)]
    assert 'reid/mAP' not in curves


def test_draw(work_dir):
    curves = read_scalars(work_dir)
    curves['cluster/unclustered'] = [(0, 0.5), (1, 0.25)]
    axes = {ax.get_title(): ax for ax in curve_figure(curves).axes if ax.lines}
    assert list(axes) == [
        'Held-out test set',
        'Clusters',
        'Un-clustered images',
        'Pseudo labels against identities',
        'Loss',
    ]
    test, share = axes['Held-out test set'], axes['Un-clustered images']
    assert [line.get_label() for line in test.lines] == ['mAP', 'rank-1']
    np.testing.assert_allclose(test.lines[0].get_data(), [[0, 1], [10, 30]])
    np.testing.assert_allclose(share.lines[0].get_ydata(), [50, 25])
    assert share.get_ylabel() == 'percent of images'
    assert all(ax.get_xlim() == test.get_xlim() for ax in axes.values())


def test_compare():
    """A colour for each run, also where another has no such curve."""
    runs = {
        'plain': {'loss': [(0.5, 3.0)], 'reid/mAP': [(0, 10.0), (2, 20.0)]},
        'mine': {'loss': [(0.5, 4.0)], 'cluster/clusters': [(0, 7.0)]},
    }
    axes = {ax.get_title(): ax for ax in comparison_figure(runs).axes if ax.lines}
    assert list(axes) == ['Held-out test set: mAP', 'Clusters', 'Loss']
    lines = axes['Loss'].lines
    assert [line.get_label() for line in lines] == ['plain', 'mine']
    (clusters,) = axes['Clusters'].lines
    assert clusters.get_label() == 'mine'
    assert clusters.get_color() == lines[1].get_color() != lines[0].get_color()
    assert axes['Loss'].get_xlim()[1] > 2


def test_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'holds no .*scalars.json'):
        read_scalars(tmp_path)
    for draw in (curve_figure, comparison_figure):
        with pytest.raises(ValueError, match='no log of reid/mAP'):
            draw({'x': {}})
