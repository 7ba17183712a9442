from pathlib import Path

import numba
import numpy as np
import pytest
import torch
from dense_oracle import (
    dense_jaccard,
    dense_jaccard_distance,
    densify,
    re_id_like,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from mmreid_cc.clustering import jaccard_distance, knn
from mmreid_cc.clustering.jaccard import jaccard_rows

DATA = Path(__file__).parents[1] / 'data'


@pytest.mark.parametrize('name', ['jaccard_k15_4', 'jaccard_k20_1', 'jaccard_k30_6'])
def test_equals_the_public_code(name):
    golden = np.load(DATA / f'{name}.npz')
    k1, k2 = int(golden['k1']), int(golden['k2'])
    distance = jaccard_distance(golden['features'], k1, k2)
    np.testing.assert_allclose(densify(distance), golden['distance'], atol=1e-5)


# Small integers make duplicates, opposite and zero rows likely.
@st.composite
def problems(draw):
    n, dim = draw(st.integers(1, 14)), draw(st.integers(1, 4))
    features = draw(arrays(np.float64, (n, dim), elements=st.integers(-2, 2)))
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    features = features / np.where(norms == 0, 1, norms)
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    k1 = draw(st.integers(1, 9))
    return features.astype(dtype), k1, draw(st.integers(1, k1))


@settings(max_examples=150, deadline=None)
@given(problems())
def test_equals_the_dense_textbook(problem):
    features, k1, k2 = problem
    distance = jaccard_distance(features, k1, k2)
    expected = dense_jaccard_distance(features, k1, k2)
    np.testing.assert_allclose(densify(distance), expected, atol=1e-5)
    assert_well_formed(distance)


def assert_well_formed(distance):
    dense = densify(distance)
    np.testing.assert_array_equal(dense, dense.T)
    np.testing.assert_array_equal(dense.diagonal(), 0)
    assert isinstance(distance, csr_array)
    assert distance.data.dtype == np.float32
    assert distance.has_canonical_format  # ascending, no pair twice
    assert ((distance.data >= 0) & (distance.data < 1)).all()
    stored = np.zeros(distance.shape, dtype=bool)
    rows = np.repeat(np.arange(distance.shape[0]), np.diff(distance.indptr))
    stored[rows, distance.indices] = True
    assert stored.diagonal().all()  # the zeros are explicit


def test_is_well_formed_over_several_blocks_of_rows():
    distance = jaccard_distance(re_id_like(2500, 100, 64)[0])
    assert_well_formed(distance)
    assert 0 < distance.nnz < 2500**2 / 2


def test_max_distance_keeps_the_nearer_pairs():
    features = re_id_like(300, 20, 32, noise=1)[0]
    dense = densify(jaccard_distance(features))
    for limit in (0.6, float(dense[dense > 0].min()), 1.0):
        near = jaccard_distance(features, max_distance=limit)
        expected = np.where(dense <= limit, dense, 1)
        np.testing.assert_array_equal(densify(near), expected)
        assert near.nnz == (dense <= limit).sum() - (limit == 1) * (dense == 1).sum()


def test_given_neighbors_replace_the_search():
    features = re_id_like(200, 10, 16)[0]
    expected = jaccard_distance(features, k1=12, k2=3)
    neighbors = torch.from_numpy(knn(features, 12)[0])
    given = jaccard_distance(features, k1=12, k2=3, neighbors=neighbors)
    np.testing.assert_array_equal(densify(given), densify(expected))
    neighbors = knn(re_id_like(200, 10, 16, seed=1)[0], 12)[0]
    other = jaccard_distance(features, k1=12, k2=3, neighbors=neighbors)
    assert not np.array_equal(densify(other), densify(expected))


def test_does_not_depend_on_threads(monkeypatch):
    features = re_id_like(3000, 100, 32, noise=1)[0]
    expected = jaccard_distance(features)
    for threads in (1, 3):
        monkeypatch.setattr(numba.config, 'NUMBA_NUM_THREADS', threads)
        distance = jaccard_distance(features)
        for part in ('indptr', 'indices', 'data'):
            np.testing.assert_array_equal(
                getattr(distance, part), getattr(expected, part)
            )


def test_rows_may_start_at_any_column():
    rng = np.random.default_rng(0)
    weights = rng.random((6, 6)).astype(np.float32) * (rng.random((6, 6)) < 0.6)
    weights += 0.1 * np.eye(6, dtype=np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    first_columns = np.array([3, 0, 5])
    expected = dense_jaccard(weights)[:3]
    expected[np.arange(6) < first_columns[:, None]] = 1
    rows = jaccard_rows(csr_array(weights), first_columns)
    np.testing.assert_allclose(densify(rows), expected, atol=1e-6)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'k1': 0}, 'k1 must be an integer of at least 1, got 0'),
        ({'k1': 3, 'k2': 4}, r'k2 must be an integer in 1…3, got 4'),
        ({'max_distance': 0}, r'max_distance must lie in \(0, 1\], got 0'),
        ({'max_distance': 1.5}, r'max_distance must lie in \(0, 1\], got 1\.5'),
        ({'neighbors': np.zeros((3, 2), int)}, r'neighbors must have shape \(3, 3\)'),
        ({'features': 2 * np.eye(3)}, 'features must be L2-normalised: 3 of 3 rows'),
        ({'features': np.full((2, 2), np.nan)}, '2 of 2 rows hold NaN'),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        jaccard_distance(**{'features': np.eye(3), **arguments})
