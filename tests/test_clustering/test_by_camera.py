"""Clusters of each camera, linked across cameras."""

import numpy as np
import pytest
from dense_oracle import re_id_like

from mmreid_cc.clustering import (
    CLUSTERERS,
    AutoAgglomerative,
    AutoDBSCAN,
    Tracklets,
    pair_f1,
)

INNER = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=5, k2=2)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def by_camera(**arguments):
    return CLUSTERERS.build(dict(type='ByCamera', **arguments))


@pytest.fixture(scope='module')
def three_looks():
    """People whose features three cameras move apart."""
    features, pids = re_id_like(360, 30, 64, noise=0.6, seed=2)
    cam_ids = np.random.default_rng(0).integers(3, size=360) + 4
    looks = np.random.default_rng(1).normal(size=(3, 64)) / 8
    return unit(features + 2 * looks[cam_ids - 4]), pids, cam_ids


def test_finds_more_across_cameras_than_others(three_looks):
    features, pids, cam_ids = three_looks
    found = {
        name: pair_f1(labels, pids, cam_ids)
        for name, labels in dict(
            by_camera=by_camera().fit_predict(features, cam_ids),
            together=AutoAgglomerative().fit_predict(features, cam_ids),
            blind=AutoDBSCAN().fit_predict(features),
        ).items()
    }
    assert found['by_camera'] > 0.5
    assert found['by_camera'] > max(found['together'], found['blind'])


def test_is_tracklets_of_the_clusters_of_each_camera(three_looks):
    features, _, cam_ids = three_looks
    links = dict(type='MutualNeighbors')
    clusterer = by_camera(clusterer=INNER, links=links)
    labels = clusterer.fit_predict(features, cam_ids)
    tracks = np.empty(len(features), int)
    for camera in (4, 5, 6):
        own = cam_ids == camera
        tracks[own] = CLUSTERERS.build(INNER).fit_predict(features[own])
    assert -1 in tracks
    expected = Tracklets(links, whiten=True).fit_predict(features, cam_ids, tracks)
    assert labels.tolist() == expected.tolist()
    stages = ['neighbours', 'distance', 'dbscan', 'pooling', 'links']
    assert list(clusterer.stage_seconds) == stages


def test_each_camera_has_its_settings(three_looks):
    features, _, cam_ids = three_looks
    clusterer = by_camera()
    first = clusterer.fit_predict(features, cam_ids)
    for camera in (4, 5, 6):
        alone = AutoAgglomerative()
        alone.fit_predict(features[cam_ids == camera])
        assert clusterer.clusterers[camera].chosen == alone.chosen
        assert f'{camera}: {alone!r}' in repr(clusterer)
    assert clusterer.fit_predict(features, cam_ids).tolist() == first.tolist()

    some = cam_ids != 5
    clusterer.fit_predict(features[some], cam_ids[some])
    assert list(clusterer.clusterers) == [4, 6]
    assert 'Each of 2 cameras was clustered by itself' in clusterer.explanation()


def test_checkpoints_keep_the_state_of_each_camera(three_looks):
    features, _, cam_ids = three_looks
    inner = dict(type='SelfPacedDBSCAN', min_samples=2, k1=5, k2=2)
    clusterer = by_camera(clusterer=inner)
    first = clusterer.fit_predict(features, cam_ids)
    assert sorted(clusterer.state) == ['4', '5', '6']
    resumed = by_camera(clusterer=inner)
    resumed.state = clusterer.state
    later = unit(features + 0.02)
    labels = resumed.fit_predict(later, cam_ids)
    assert labels.tolist() == clusterer.fit_predict(later, cam_ids).tolist()
    assert resumed.state == clusterer.state
    assert first.shape == labels.shape


def test_one_camera_is_clustered_and_linked_to_none(three_looks):
    features, _, cam_ids = three_looks
    own = features[cam_ids == 5]
    labels = by_camera(clusterer=INNER).fit_predict(own, np.full(len(own), 5))
    assert labels.tolist() == CLUSTERERS.build(INNER).fit_predict(own).tolist()


@pytest.mark.parametrize('inner', [None, INNER, dict(type='AutoDBSCAN')])
def test_few_images(inner):
    rng = np.random.default_rng(0)
    for count in (1, 2, 3, 10):
        features = unit(rng.normal(size=(count, 8)))
        for cam_ids in (np.arange(count) == 0, np.arange(count)):  # cameras of one
            labels = by_camera(clusterer=inner).fit_predict(features, 1 * cam_ids)
            assert labels.shape == (count,)
    # Equal images tell nobody apart.
    equal = np.tile([[0.6, 0.8]], (20, 1))
    labels = by_camera(clusterer=inner).fit_predict(equal, np.arange(20) % 2)
    assert len(labels) == 20


def test_noise_holds_no_clusters_within_a_camera():
    noise = unit(np.random.default_rng(0).normal(size=(300, 64)))
    cam_ids = np.arange(300) % 2
    labels = by_camera().fit_predict(noise, cam_ids)
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    assert sizes.max() <= 2  # of links alone, one image of each camera


def test_what_is_refused():
    with pytest.raises(ValueError, match='needs the camera of each image'):
        by_camera().fit_predict(np.eye(3))
    with pytest.raises(ValueError, match='2 cameras do not fit 3'):
        by_camera().fit_predict(np.eye(3), [1, 2])
    with pytest.raises(ValueError, match='hold NaN or infinity'):
        by_camera().fit_predict(np.full((3, 2), np.nan), [1, 2, 2])
