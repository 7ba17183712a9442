"""What the algorithms that run another one have in common."""

import numpy as np
import pytest
from dense_oracle import re_id_like

from mmreid_cc.clustering import CLUSTERERS

INNER = dict(type='SelfPacedDBSCAN', eps=0.55, eps_gap=0.15, independent_share=0.5)
INNER.update(min_samples=3, k1=12, k2=4)
WRAPPERS = [
    (dict(type='Tracklets', clusterer=INNER), {'tracks'}),
    (dict(type='ByCamera', clusterer=INNER), {'1', '2'}),
    (dict(type='ByCamera', clusterer=dict(INNER), links=INNER), {'1', '2', 'links'}),
    (
        dict(type='ByModality', infrared_cameras=(2,), clusterer=INNER),
        {'visible', 'infrared'},
    ),
    (dict(type='Tracklets', clusterer=dict(type='ByCamera', clusterer=INNER)), None),
]


@pytest.mark.parametrize(('config', 'keys'), WRAPPERS)
def test_state_comes_back(config, keys):
    """What the first call has found decides later calls, also after a resume."""
    features, _ = re_id_like(300, 20, 16, noise=0.9, seed=0)
    later, _ = re_id_like(300, 20, 16, noise=1.1, seed=10)
    cameras = np.arange(300) % 2 + 1
    whole, resumed, anew = (CLUSTERERS.build(config) for _ in range(3))
    whole.fit_predict(features, cam_ids=cameras)
    state = whole.state
    assert keys is None or set(state) == keys
    expected = whole.fit_predict(later, cam_ids=cameras)
    assert whole.state == state
    resumed.state = state
    np.testing.assert_array_equal(resumed.fit_predict(later, cam_ids=cameras), expected)
    assert resumed.state == state
    assert not np.array_equal(anew.fit_predict(later, cam_ids=cameras), expected)
    assert anew.state != state


def test_stages_of_both_are_added():
    """Tracklets and ByCamera have a stage of the same name."""
    features, _ = re_id_like(60, 6, 16, noise=0.5, seed=0)
    inner = dict(type='ByCamera', clusterer=INNER)
    clusterer = CLUSTERERS.build(dict(type='Tracklets', clusterer=inner))
    clusterer.fit_predict(features, cam_ids=np.arange(60) % 2)
    both = clusterer.stage_seconds['pooling']
    assert both > clusterer.clusterer.stage_seconds['pooling']
    assert (
        clusterer.stage_seconds['links'] == clusterer.clusterer.stage_seconds['links']
    )


@pytest.mark.parametrize('name', ['ByCamera', 'ByModality'])
def test_tracks_are_not_lost(name):
    config = dict(type=name, clusterer=dict(type='Tracklets'))
    if name == 'ByModality':
        config['infrared_cameras'] = (2,)
    message = rf"{name} passes no tracks on.* dict\(type='Tracklets', clusterer=dict\("
    with pytest.raises(ValueError, match=message):
        CLUSTERERS.build(config)
