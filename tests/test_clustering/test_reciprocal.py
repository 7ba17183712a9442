from itertools import pairwise

import numpy as np
import pytest
from dense_oracle import dense_encoding, dense_knn, re_id_like

from mmreid_cc.clustering.reciprocal import (
    encode,
    expand_queries,
    half_size,
    reciprocal_sets,
)
from mmreid_cc.clustering.similarity import pair_similarities


@pytest.mark.parametrize('k1', range(1, 60))
def test_half_size_rounds_like_numpy(k1):
    assert half_size(k1) == int(np.around(k1 / 2)) + 1


def test_sets_worked_out_by_hand():
    neighbors = np.array(
        [[0, 1, 2], [1, 0, 2], [2, 3, 0], [3, 2, 0], [4, 0, 1]], dtype=np.int32
    )
    indptr, indices = reciprocal_sets(neighbors, half=2)
    sets = [indices[a:b].tolist() for a, b in pairwise(indptr)]
    # 1 lists 2, but 2 does not list 1; 3 lists 0, but 0 not 3; nobody else lists 4:
    # R = {0,1,2}, {0,1}, {0,2,3}, {2,3}, {4} and Rh = {0,1}, {0,1}, {2,3}, {2,3}, {4}.
    # R(0) shares one of two with Rh(2), 3·1 > 2·2 fails, so 3 does not join it.
    assert sets == [[0, 1, 2], [0, 1], [0, 2, 3], [2, 3], [4]]


def test_a_half_size_set_joins_when_more_than_two_thirds_are_shared():
    # R(0) = {0,1,2}; Rh(1) = {0,1,2,3}: three of four shared, so 3 joins.
    # With half = 3 the set Rh(1) is {0,1,2}, and nothing is left to join.
    neighbors = np.array(
        [[0, 1, 2, 4], [1, 0, 2, 3], [2, 1, 0, 3], [3, 1, 2, 4], [4, 3, 2, 1]],
        dtype=np.int32,
    )
    for half, first_set in [(4, [0, 1, 2, 3]), (3, [0, 1, 2])]:
        indptr, indices = reciprocal_sets(neighbors, half)
        assert indices[: indptr[1]].tolist() == first_set


def test_equals_the_dense_textbook_over_several_blocks_of_rows():
    features, _ = re_id_like(1100, 60, 24, noise=0.8)
    neighbors = dense_knn(features, 14)[0].astype(np.int32)
    indptr, indices = reciprocal_sets(neighbors, half=8)
    distances = 2 - 2 * pair_similarities(features, features, indptr, indices)
    encoding = encode(indptr, indices, distances)
    dense_distances = 2 - 2 * features.astype(float) @ features.T
    expected = dense_encoding(neighbors, 8, dense_distances, k2=1)
    np.testing.assert_allclose(encoding.toarray(), expected, atol=1e-6)

    expanded = expand_queries(encoding, neighbors[:, :5])
    expected = dense_encoding(neighbors, 8, dense_distances, k2=5)
    np.testing.assert_allclose(expanded.toarray(), expected, atol=1e-6)
    assert expanded.has_canonical_format


def test_pair_similarities_are_symmetric_and_depend_on_the_pair_alone():
    features, _ = re_id_like(64, 8, 101)
    indptr = np.arange(0, 64 * 64 + 1, 64)
    everyone = np.tile(np.arange(64, dtype=np.int32), 64)
    table = pair_similarities(features, features, indptr, everyone).reshape(64, 64)
    np.testing.assert_array_equal(table, table.T)
    np.testing.assert_allclose(table, features @ features.T, atol=1e-6)
    one = pair_similarities(
        features[5:6], features, np.array([0, 2]), np.array([9, 3], dtype=np.int32)
    )
    np.testing.assert_array_equal(one, table[5, [9, 3]])
