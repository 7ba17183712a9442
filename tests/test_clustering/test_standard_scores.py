"""Scores that mean the same for all cameras, their errors, and groups made by them."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from mmreid_cc.clustering import (
    ErrorRates,
    StandardScores,
    clustering_quality,
    join_groups,
)
from mmreid_cc.clustering.same_time import mark_overlaps, overlapping_clusters


def normalized(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class TestStandardScores:
    def test_different_people_of_any_two_cameras_deviate_by_one(self):
        """Although cosines of one camera are far higher than those of two."""
        rng = np.random.default_rng(0)
        cams = np.arange(900) % 3
        shifts = rng.normal(size=(3, 64))
        features = normalized(rng.normal(size=(900, 64)) + shifts[cams])
        vectors = StandardScores(features, cams)(features, cams)
        for one in range(3):
            for other in range(one, 3):
                scores = vectors[cams == one] @ vectors[cams == other].T
                scores = scores[~np.eye(300, dtype=bool)] if one == other else scores
                assert scores.mean() == pytest.approx(0, abs=0.05)
                assert scores.std() == pytest.approx(1, abs=0.08)

    def test_a_camera_that_is_new_has_the_mean_of_all(self):
        rng = np.random.default_rng(0)
        features = normalized(rng.normal(size=(50, 16)) + 1)
        scores = StandardScores(features, np.zeros(50, int))
        new = scores.centered(features, np.full(50, 7))
        assert new == pytest.approx(scores.centered(features, np.zeros(50, int)))

    def test_weights_count_as_copies(self):
        rng = np.random.default_rng(0)
        features = normalized(rng.normal(size=(40, 8)))
        cams = np.zeros(40, int)
        copies = np.r_[np.arange(40), 0, 0]
        twice = StandardScores(features[copies], cams[copies])
        weighted = StandardScores(features, cams, np.r_[3.0, np.ones(39)])
        assert weighted.means == pytest.approx(twice.means, abs=1e-6)
        assert weighted.spread == pytest.approx(twice.spread, abs=1e-6)

    def test_equal_features_are_no_error(self):
        features = np.tile(normalized(np.ones((1, 4))), (3, 1))
        cams = np.zeros(3, int)
        assert not StandardScores(features, cams)(features, cams).any()


class TestErrorRates:
    def test_of_an_exponential_tail(self):
        different = np.random.default_rng(0).exponential(size=100_000)
        rates = ErrorRates(different, np.array([2.0, 4.0, 8.0, 9.0]))
        for rate in (0.03, 0.001, 1e-6):
            assert rates.threshold(rate) == pytest.approx(-np.log(rate), rel=0.05)
            assert rates.false_match(rates.threshold(rate)) == pytest.approx(rate)
        assert rates.threshold(0.9) == pytest.approx(rates.threshold(0.05))
        assert rates.false_match(-5) == 1
        assert rates.miss(4.5) == 0.5
        assert not rates.assumed

    def test_mirror_images_hardly_move_it(self):
        different = np.random.default_rng(0).normal(size=10_000)
        mirrored = np.concatenate([different, np.full(30, 12.0)])
        thresholds = [ErrorRates(d, d).threshold(1e-3) for d in (different, mirrored)]
        assert thresholds[1] - thresholds[0] < 0.3

    def test_of_too_few_pairs(self):
        rates = ErrorRates(np.full(199, 50.0), np.empty(0))
        assert rates.assumed
        assert rates.threshold(0.0125) == pytest.approx(1.64 + 2 * 0.4)
        assert np.isnan(rates.miss(1))


class TestJoinGroups:
    def test_is_average_linkage(self):
        rng = np.random.default_rng(0)
        features = normalized(rng.normal(size=(120, 6)))
        similarity = features @ features.T
        for least in (0.9, 0.6, 0.2):
            groups = join_groups(
                similarity, np.zeros((120, 120), bool), np.ones(120), least
            )
            upper = 1 - similarity[np.triu_indices(120, 1)].astype(np.float64)
            expected = fcluster(linkage(upper, 'average'), 1 - least, 'distance')
            quality = clustering_quality(groups, expected)
            assert quality['ARI'] == 1
            assert (groups[groups] == groups).all()
            assert (groups <= np.arange(120)).all()

    def test_goes_on_from_groups(self):
        """A group and its size stand for its members."""
        similarity = np.float32([[1, 0.5, 0.8], [0.5, 1, 0], [0.8, 0, 1]])
        none = np.zeros((3, 3), dtype=bool)
        # 0 and 2 join; then their mean with 1 is (3 · 0.5 + 1 · 0) / 4.
        for least, expected in ((0.37, [0, 0, 0]), (0.38, [0, 1, 0])):
            groups = join_groups(similarity, none, np.array([3, 1, 1]), least)
            assert groups.tolist() == expected

    def test_never_joins_what_is_in_conflict(self):
        rng = np.random.default_rng(0)
        similarity = np.ones((30, 30), dtype=np.float32)
        conflict = rng.random((30, 30)) < 0.2
        conflict |= conflict.T
        groups = join_groups(similarity, conflict, np.ones(30), -1)
        same = groups[:, None] == groups
        np.fill_diagonal(same, False)
        assert not (same & conflict).any()
        assert len(np.unique(groups)) < 20


def test_overlaps_are_marked():
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 50, 60).astype(float)
    intervals = np.stack([starts, starts + rng.integers(0, 5, 60)], axis=1)
    intervals[::7] = np.nan
    places = rng.integers(3, size=60)
    marked = np.zeros((60, 60), dtype=bool)
    mark_overlaps(np.arange(60), places, intervals, marked)
    assert (marked == marked.T).all()
    for i in range(60):
        for j in range(i):
            pair = np.array([i, j])
            torn = overlapping_clusters(
                np.zeros(2, int), places[pair], intervals[pair], np.arange(2)
            )
            assert marked[i, j] == (len(torn) > 0)
