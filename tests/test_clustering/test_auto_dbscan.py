"""Settings are found without labels, and nothing is found in noise."""

import numba
import numpy as np
import pytest
from dense_oracle import re_id_like
from mmengine.logging import MMLogger

from mmreid_cc.clustering import (
    CLUSTERERS,
    DBSCAN,
    AutoDBSCAN,
    centroid_silhouette,
    consensus,
    cross_silhouette,
    estimated_people,
    knn,
    label_silhouette,
    pair_f1,
)
from mmreid_cc.clustering.auto_dbscan import (
    first_neighbors,
    score_settings,
    score_whole,
    share_needed,
    sweep,
)
from mmreid_cc.clustering.dbscan import is_tied
from mmreid_cc.clustering.setting_grid import default_grid, smoothed


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize('shots', [2, 12])
def test_finds_what_the_papers_setting_misses(shots):
    features, pids = re_id_like(240, 240 // shots, 64, noise=0.6, seed=shots)
    clusterer = CLUSTERERS.build(dict(type='AutoDBSCAN'))
    labels = clusterer.fit_predict(features)
    grid = default_grid(len(features))
    found = dict(sweep(features, knn(features, 30)[0].astype(np.int32), grid))
    best = max(pair_f1(found[i], pids) for i in range(len(grid)))
    f1 = pair_f1(labels, pids)
    assert f1 >= 0.9 * best > 0.5
    assert f1 >= pair_f1(DBSCAN().fit_predict(features), pids)
    scores = [score for _, score in clusterer.candidates]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == len(grid)
    assert clusterer.candidates[0][0] == clusterer.chosen
    again = AutoDBSCAN()
    assert np.array_equal(again.fit_predict(features), labels)
    assert again.candidates == clusterer.candidates
    people, fewest, most = clusterer.people
    assert fewest <= people <= most


def test_noise_holds_no_people(tmp_path):
    log = tmp_path / 'log.txt'
    MMLogger.get_instance('test_auto_dbscan_noise', log_file=str(log))
    noise = unit(np.random.default_rng(0).normal(size=(400, 64)))
    clusterer = AutoDBSCAN()
    assert set(clusterer.fit_predict(noise)) == {-1}
    assert clusterer.chosen is None
    assert clusterer.people is None
    assert 'AutoDBSCAN found no people in 400 images' in log.read_text()
    assert 'No settings were chosen' in clusterer.explanation()


def test_all_dimensions_have_a_third_of_the_votes():
    features, _ = re_id_like(120, 20, 32, noise=0.6, seed=2)
    clusterer = AutoDBSCAN()
    labels = clusterer.fit_predict(features)
    grid = default_grid(len(features))
    voters = [grid.index(s) for s, _ in clusterer.candidates]
    voters = voters[: clusterer.n_nearly_best()]
    assert len(voters) > 1
    _, _, halves = score_settings(features, grid, 0)
    neighbors = knn(features, 30)[0].astype(np.int32)
    _, whole = score_whole(features, neighbors, grid, 0)
    votes = [*halves[:, voters].reshape(-1, len(labels)), *whole[voters]]
    for _ in range(len(halves) // 2 - 1):
        votes.extend(whole[voters])
    share = share_needed(whole[voters[0]])
    assert 0.2 < share < 0.4
    assert np.array_equal(labels, consensus(votes, share))


@pytest.mark.parametrize(
    ('labels', 'share'),
    [
        ([0, 0, 1, 1, -1], 0.4),
        ([0] * 40, 0.21),
        ([0, 0, 0, 0, 1, -1], 0.36),
        ([-1, -1], 0.2),
    ],
)
def test_larger_clusters_need_fewer_votes(labels, share):
    assert share_needed(np.array(labels)) == pytest.approx(share)


def test_does_not_depend_on_threads(monkeypatch):
    features, _ = re_id_like(120, 20, 32, noise=0.6, seed=2)
    expected = AutoDBSCAN()
    labels = expected.fit_predict(features)
    for threads in (1, 3):
        monkeypatch.setattr(numba.config, 'NUMBA_NUM_THREADS', threads)
        clusterer = AutoDBSCAN()
        assert np.array_equal(clusterer.fit_predict(features), labels)
        assert clusterer.candidates == expected.candidates


def test_a_choice_among_given_settings():
    features, _ = re_id_like(120, 20, 32, noise=0.5, seed=1)
    given = [dict(eps=eps, min_samples=2, k1=6, k2=1) for eps in (0.3, 0.6)]
    clusterer = AutoDBSCAN(candidates=given)
    clusterer.fit_predict(features)
    assert clusterer.chosen in given
    with pytest.raises(ValueError, match='must set eps, min_samples, k1, k2'):
        AutoDBSCAN(candidates=[dict(eps=0.6)])
    with pytest.raises(ValueError, match='must hold a setting'):
        AutoDBSCAN(candidates=[])


def test_grid():
    for size in (1, 10, 1000):
        grid = default_grid(size)
        assert {s['min_samples'] for s in grid} == {2, 4}
        assert max(s['k1'] for s in grid) <= max(2, size // 2)
        assert not any(is_tied(s['eps'], s['k2']) for s in grid)
    flat = smoothed(default_grid(1000), np.ones(108))
    np.testing.assert_allclose(flat, 1)


def test_sweep_is_dbscan():
    features, _ = re_id_like(150, 30, 24, noise=0.7, seed=3)
    grid = default_grid(len(features))[::7]
    found = dict(sweep(features, knn(features, 30)[0].astype(np.int32), grid))
    for i, settings in enumerate(grid):
        expected = DBSCAN(**settings).fit_predict(features)
        assert np.array_equal(found[i], expected)


def test_shorter_lists_of_copies_are_those_of_a_shorter_search():
    copies = np.repeat(unit(np.random.default_rng(0).normal(size=(5, 4))), 6, axis=0)
    for k in (1, 3, 8):
        short = first_neighbors(knn(copies, 20)[0], k)
        assert np.array_equal(short, knn(copies, k)[0])


def test_silhouettes_by_hand():
    # Cluster 0: the mean of the others is (1, 0), at distance 0 and 1 − 0.6.
    features = np.array([[1, 0], [1, 0], [0.6, 0.8], [0, 1], [0, 1]])
    labels = [0, 0, -1, 1, 1]
    found = centroid_silhouette(features, labels)
    np.testing.assert_allclose(found, [1, 1, 0, 1, 1], atol=1e-6)
    # (0.6, 0.8): 0.4 from its own, 0.2 from (0, 1).
    found = centroid_silhouette(features, [0, 0, 0, 1, 1], rows=[2])
    np.testing.assert_allclose(found, [(0.2 - 0.4) / 0.4], atol=1e-6)
    assert cross_silhouette([features] * 2, [labels] * 2) == pytest.approx(0.8)
    assert centroid_silhouette(features, [0] * 5).tolist() == [0] * 5
    assert label_silhouette(features, [-1] * 5) == 0
    with pytest.raises(ValueError, match='4 labels do not fit 5'):
        centroid_silhouette(features, [0, 0, 1, 1])
    with pytest.raises(ValueError, match='Two halves'):
        cross_silhouette([features], [labels])


def test_pair_f1():
    pids, cams = [7, 7, 7, 8, 8], [1, 1, 2, 1, 2]
    assert pair_f1(pids, pids) == 1
    assert pair_f1([-1] * 5, pids) == 0
    # One right pair of two found, four true ones.
    assert pair_f1([0, 0, 1, 1, -1], pids) == pytest.approx(2 / 6)
    # Across cameras: none right of one found, three true ones.
    assert pair_f1([0, 0, 1, 1, -1], pids, cams) == 0
    assert pair_f1(pids, pids, cams) == 1


def test_estimated_people():
    assert estimated_people(np.array([0, 0, 0, -1, -1, -1])) == (2, 1, 4)
    assert estimated_people(np.full(3, -1)) == (3, 0, 3)
