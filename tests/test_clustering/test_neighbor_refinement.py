import numpy as np
import pytest
from dense_oracle import dense_knn, re_id_like

from mmreid_cc.clustering.neighbor_refinement import insert, refine
from mmreid_cc.clustering.search_sharing import ALONE


def some_of_the_neighbors(features, k, share, seed=0):
    """Lists of which some entries are missing."""
    rng = np.random.default_rng(seed)
    indices, similarities = dense_knn(features, k + 1)
    n = len(features)
    proposals = np.full((n, k), -1, dtype=np.int32)
    weights = np.full((n, k), -np.inf, dtype=np.float32)
    for i in range(n):
        kept = (indices[i] != i) & (rng.random(k + 1) < share)
        proposals[i, : kept.sum()] = indices[i, kept]
        weights[i, : kept.sum()] = similarities[i, kept]
    return proposals, weights, indices


def found(lists, indices):
    shares = []
    for i, row in enumerate(lists):
        others = indices[i][indices[i] != i]
        shares.append(np.isin(others, row).mean())
    return np.mean(shares)


@pytest.mark.parametrize('dtype', [np.float16, np.float32])
def test_most_missing_neighbors_are_found(dtype):
    features = re_id_like(500, 25, 32)[0].astype(dtype)
    proposals, weights, indices = some_of_the_neighbors(features, 20, share=0.5)
    refined = refine(features, proposals, weights, np.zeros(500), ALONE)
    assert found(proposals, indices) < 0.55
    assert found(refined, indices) > 0.95
    for i, row in enumerate(refined):
        members = row[row >= 0]
        assert i not in members
        assert len(set(members)) == len(members)


def test_order_of_the_rows_changes_nothing():
    features = re_id_like(400, 25, 16)[0]
    proposals, weights, _ = some_of_the_neighbors(features, 12, share=0.4)
    expected = refine(features, proposals, weights, np.zeros(400), ALONE)
    cells = np.random.default_rng(1).integers(0, 9, 400)
    other = refine(features, proposals, weights, cells, ALONE)
    np.testing.assert_array_equal(other, expected)


def test_empty_lists_stay_empty():
    empty = np.full((3, 4), -1, dtype=np.int32)
    weights = np.full((3, 4), -np.inf, dtype=np.float32)
    features = np.eye(3, dtype=np.float32)
    refined = refine(features, empty, weights, np.zeros(3), ALONE)
    np.testing.assert_array_equal(refined, empty)


@pytest.mark.parametrize(
    ('weight', 'expected'),
    [(0.95, [9, 4, 7]), (0.6, [4, 9, 7]), (0.5, [4, 7, 9]), (0.3, [4, 7, 9])],
)
def test_insert_keeps_the_order(weight, expected):
    best, weights = np.array([4, 7, 1]), np.array([0.9, 0.5, 0.1])
    insert(best, weights, 9, weight)
    assert best.tolist() == expected
    assert (np.diff(weights) <= 0).all()
