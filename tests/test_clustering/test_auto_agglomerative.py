"""Settings across cameras are found without labels."""

import numpy as np
import pytest
from dense_oracle import re_id_like
from sklearn.metrics import adjusted_rand_score

from mmreid_cc.clustering import (
    CLUSTERERS,
    Agglomerative,
    AutoAgglomerative,
    AutoDBSCAN,
    pair_f1,
)
from mmreid_cc.clustering.auto_agglomerative import camera_grid, camera_sweep


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope='module')
def two_looks():
    """People whose features two cameras move apart."""
    features, pids = re_id_like(240, 30, 64, noise=0.6, seed=2)
    cam_ids = np.random.default_rng(0).integers(2, size=240)
    looks = np.random.default_rng(1).normal(size=(2, 64)) / 8
    return unit(features + 2 * looks[cam_ids]), pids, cam_ids


def test_is_near_the_best_across_cameras(two_looks):
    features, pids, cam_ids = two_looks
    clusterer = CLUSTERERS.build(dict(type='AutoAgglomerative'))
    labels = clusterer.fit_predict(features, cam_ids)
    grid = camera_grid(2)
    found = dict(camera_sweep(features, cam_ids, grid))
    best = max(pair_f1(found[i], pids, cam_ids) for i in range(len(grid)))
    assert pair_f1(labels, pids, cam_ids) >= 0.9 * best > 0.5
    blind = AutoDBSCAN().fit_predict(features)
    assert pair_f1(labels, pids, cam_ids) > pair_f1(blind, pids, cam_ids)
    scores = [score for _, score in clusterer.candidates]
    assert scores == sorted(scores, reverse=True)
    assert clusterer.candidates[0][0] == clusterer.chosen
    assert list(clusterer.stage_seconds) == ['choice', 'clusters']
    again = AutoAgglomerative()
    assert np.array_equal(again.fit_predict(features, cam_ids), labels)
    assert again.candidates == clusterer.candidates


def test_sweep_is_agglomerative(two_looks):
    features, _, cam_ids = two_looks
    grid = camera_grid(2)[::5]
    found = dict(camera_sweep(features, cam_ids, grid))
    for i, one in enumerate(grid):
        k, half = one['k'], max(1, round(one['k'] / 2))
        cameras = dict(k1_intra=k, k1_inter=k, k2_intra=half, k2_inter=half)
        same = Agglomerative(
            one['distance_threshold'],
            min_cluster_size=one['min_cluster_size'],
            cameras=cameras,
        )
        expected = same.fit_predict(features, cam_ids=cam_ids)
        assert np.array_equal(found[i] < 0, expected < 0)
        assert adjusted_rand_score(expected, found[i]) == 1  # numbered otherwise


def test_one_camera(two_looks):
    features, pids, cam_ids = two_looks
    own, pids = features[cam_ids == 1], pids[cam_ids == 1]
    clusterer = AutoAgglomerative()
    labels = clusterer.fit_predict(own, np.ones(len(own), int))
    found = dict(camera_sweep(own, np.ones(len(own), int), camera_grid(1)))
    scores = {i: pair_f1(each, pids) for i, each in found.items()}
    assert pair_f1(labels, pids) >= 0.9 * max(scores.values()) > 0.5
    k, threshold, size = clusterer.chosen.values()
    k2 = max(1, round(k / 5))
    same = Agglomerative(threshold, min_cluster_size=size, k1=k, k2=k2)
    assert adjusted_rand_score(same.fit_predict(own), labels) == 1
    assert AutoAgglomerative().fit_predict(own).tolist() == labels.tolist()


def test_odd_images_and_cameras():
    rng = np.random.default_rng(0)
    for count in (2, 9):
        features = unit(rng.normal(size=(count, 8)))
        one_other = np.arange(count) == 0  # a camera with one image
        labels = AutoAgglomerative().fit_predict(features, one_other.astype(int))
        assert labels.shape == (count,)
    equal = np.tile([[0.6, 0.8]], (20, 1))
    labels = AutoAgglomerative().fit_predict(equal, np.arange(20) % 2)
    assert labels.tolist() == [-1] * 20  # nothing tells them apart
    for count in (1, 2, 9):
        features = unit(rng.normal(size=(count, 8)))
        assert AutoAgglomerative().fit_predict(features).shape == (count,)
    assert AutoAgglomerative().fit_predict(equal).tolist() == [-1] * 20
    for dim in (1, 2):
        features = unit(rng.normal(size=(12, dim)))
        assert len(AutoAgglomerative().fit_predict(features, np.arange(12) % 3)) == 12


def test_noise_holds_no_people():
    noise = unit(np.random.default_rng(0).normal(size=(300, 64)))
    clusterer = AutoAgglomerative()
    assert set(clusterer.fit_predict(noise, np.arange(300) % 2)) == {-1}
    assert clusterer.chosen is None


def test_what_is_refused():
    with pytest.raises(ValueError, match='2 cameras do not fit 3'):
        AutoAgglomerative().fit_predict(np.eye(3), [1, 2])
    with pytest.raises(ValueError, match='hold NaN or infinity'):
        AutoAgglomerative().fit_predict(np.full((3, 2), np.nan), [1, 2, 2])
