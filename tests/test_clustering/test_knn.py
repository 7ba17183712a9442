import importlib
import tracemalloc

import faiss
import numba
import numpy as np
import pytest
import torch
from dense_oracle import dense_knn, re_id_like

from mmreid_cc.clustering import knn
from mmreid_cc.clustering.knn import least_similarities

# The function hides the module of the same name in the package.
knn_module = importlib.import_module('mmreid_cc.clustering.knn')


def features_of(kind):
    rng = np.random.default_rng(0)
    if kind == 'identities':
        return re_id_like(300, 20, 32)[0]
    if kind == 'copies':  # more of each than neighbours and margin
        return np.repeat(re_id_like(6, 6, 33)[0], 50, axis=0)
    if kind == 'nearly equal':  # rounding of a matrix product exceeds the differences
        features = 1 + 1e-5 * rng.standard_normal((200, 48))
        return (features / np.linalg.norm(features, axis=1, keepdims=True)).astype('f4')
    if kind == 'zero rows':
        features = re_id_like(100, 5, 16)[0]
        features[::3] = 0
        return features
    return rng.standard_normal((150, 8)).astype(np.float32)  # of unequal length


KINDS = ['identities', 'copies', 'nearly equal', 'zero rows', 'unequal length']


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('k', [1, 2, 30])
def test_equals_sorting_the_whole_matrix(kind, k):
    features = features_of(kind)
    indices, similarities = knn(features, k)
    expected_indices, expected_similarities = dense_knn(features, k)
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_array_equal(similarities, expected_similarities)
    assert indices.dtype == np.int64
    assert similarities.dtype == np.float32


@pytest.mark.parametrize('kind', KINDS)
def test_does_not_depend_on_blocks_and_threads(kind, monkeypatch):
    features = features_of(kind)
    expected = knn(features, 10)
    for rows, values, threads in [(7, 1, 1), (64, 1000, 2), (1, 2**24, 3)]:
        monkeypatch.setattr(knn_module, '_ROWS_PER_BLOCK', rows)
        monkeypatch.setattr(knn_module, '_SCAN_VALUES', values)
        monkeypatch.setattr(numba.config, 'NUMBA_NUM_THREADS', threads)
        for result, other in zip(knn(features, 10), expected, strict=True):
            np.testing.assert_array_equal(result, other)


def test_each_of_a_hundred_copies_lists_itself_and_the_first_others():
    indices, _ = knn(np.tile([[0.6, 0.8]], (100, 1)), 5)
    assert indices[0].tolist() == [0, 1, 2, 3, 4]
    assert indices[3].tolist() == [0, 1, 2, 3, 4]
    assert indices[77].tolist() == [0, 1, 2, 3, 77]


@pytest.mark.parametrize('n', [1, 3])
def test_k_is_capped_at_the_number_of_rows(n):
    indices, similarities = knn(np.eye(n), 30)
    assert indices.shape == similarities.shape == (n, n)
    assert (np.sort(indices, axis=1) == np.arange(n)).all()


def test_takes_tensors():
    features = re_id_like(40, 4, 16)[0]
    tensor = torch.tensor(features, requires_grad=True)
    np.testing.assert_array_equal(knn(tensor, 5)[0], knn(features, 5)[0])


def test_uses_all_cores_and_gives_the_setting_back(monkeypatch):
    monkeypatch.setattr(numba.config, 'NUMBA_NUM_THREADS', 2)
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # as MMEngine's launcher leaves it
    seen = []
    search = faiss.knn

    def spy(*arguments, **options):
        seen.append(faiss.omp_get_max_threads())
        return search(*arguments, **options)

    monkeypatch.setattr(faiss, 'knn', spy)
    try:
        knn(np.eye(3), 2)
        assert seen == [2]
        assert faiss.omp_get_max_threads() == 1
    finally:
        faiss.omp_set_num_threads(before)


def test_no_square_matrix_exists():
    features = re_id_like(12_000, 300, 8)[0]  # 576 MB of similarities
    tracemalloc.start()
    try:
        knn(features, 10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        ({'k': 0}, ValueError, 'k must be an integer from 1 on, got 0'),
        ({'k': 2.5}, ValueError, r'k must be an integer from 1 on, got 2\.5'),
        (
            {'k': 2, 'method': 'fast'},
            ValueError,
            r"method must be one of \['exact'\], got 'fast'",
        ),
        ({'features': np.ones(3), 'k': 2}, ValueError, 'features must be a 2-D array'),
        ({'features': np.eye(3, dtype=int), 'k': 2}, TypeError, 'floating-point'),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        knn(**{'features': np.eye(3), **arguments})


def test_least_similarities():
    features = features_of('identities')
    expected = (features @ features.T).min(axis=1)
    np.testing.assert_allclose(least_similarities(features), expected, atol=1e-6)
