import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import faiss
import numba
import numpy as np
import pytest
import torch
from dense_oracle import dense_knn, re_id_like
from mmengine.logging import MMLogger

from mmreid_cc.clustering import (
    Share,
    exact,
    inverted_file,
    knn,
    neighbor_recall,
    neighbor_selection,
)
from mmreid_cc.clustering.knn import least_similarities


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
        monkeypatch.setattr(exact, '_ROWS_PER_BLOCK', rows)
        monkeypatch.setattr(exact, '_ROWS_PER_CONVERSION', 10 * rows)
        monkeypatch.setattr(neighbor_selection, '_SCAN_VALUES', values)
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
        ({'k': 0}, ValueError, 'k must be an integer of at least 1, got 0'),
        ({'k': 2.5}, ValueError, r'k must be an integer of at least 1, got 2\.5'),
        (
            {'k': 2, 'method': 'fast'},
            ValueError,
            r"method must be one of \('auto', 'exact', 'hnsw', 'ivf'\), got 'fast'",
        ),
        (
            {'k': 2, 'n_components': 4},
            ValueError,
            r'n_components must be an integer in 1…3, got 4',
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


def recall(indices, others):
    shared = [np.isin(a, b).mean() for a, b in zip(indices, others, strict=True)]
    return np.mean(shared)


@pytest.mark.parametrize('method', ['exact', 'ivf', 'hnsw'])
def test_half_precision_in_a_file_and_strides_change_nothing(method, tmp_path):
    features = re_id_like(700, 40, 32)[0].astype(np.float16)
    expected = knn(features.astype(np.float32), 10, method=method)
    np.save(tmp_path / 'features.npy', features)
    mapped = np.load(tmp_path / 'features.npy', mmap_mode='r')
    strided = np.repeat(features, 2, axis=1)[:, ::2]
    for same in (features, mapped, strided):
        for result, other in zip(knn(same, 10, method=method), expected, strict=True):
            np.testing.assert_array_equal(result, other)


@pytest.mark.parametrize('dtype', [np.float16, np.float32])
@pytest.mark.parametrize('method', ['exact', 'ivf'])
def test_features_are_never_copied_as_a_whole(method, dtype, tmp_path):
    features = re_id_like(8000, 400, 512)[0].astype(dtype)
    np.save(tmp_path / 'features.npy', features)
    size = features.nbytes
    del features
    mapped = np.load(tmp_path / 'features.npy', mmap_mode='r')
    knn(mapped[:100], 5, method=method)  # compiles
    with pytest.MonkeyPatch.context() as patch:
        for module in (exact, neighbor_selection, inverted_file):
            patch.setattr(module, '_ROWS_PER_BLOCK', 256)
        patch.setattr(exact, '_ROWS_PER_CONVERSION', 512)
        patch.setattr(inverted_file, '_TRAINING_ROWS_PER_CELL', 2)
        tracemalloc.start()
        try:
            knn(mapped, 5, method=method)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < size


@pytest.mark.parametrize('method', ['ivf', 'hnsw'])
@pytest.mark.parametrize('kind', KINDS)
def test_approximate_lists_are_well_formed_and_good(method, kind):
    features = features_of(kind)
    indices, similarities = knn(features, 10, method=method)
    assert indices.dtype == np.int64
    assert (indices == np.arange(len(features))[:, None]).any(axis=1).all()
    assert all(len(set(row)) == 10 for row in indices)
    assert (np.diff(similarities, axis=1) <= 0).all()
    tied = similarities[:, 1:] == similarities[:, :-1]
    assert (indices[:, 1:] > indices[:, :-1])[tied].all()
    exact_similarities = knn(features, 10, method='exact')[1]
    assert (similarities >= exact_similarities[:, -1:]).mean() > 0.95


@pytest.mark.parametrize('method', ['ivf', 'hnsw'])
def test_approximate_search_does_not_depend_on_threads(method, monkeypatch):
    features = re_id_like(3000, 150, 32, noise=1)[0]
    expected = knn(features, 10, method=method)
    for threads in (1, 3):
        monkeypatch.setattr(numba.config, 'NUMBA_NUM_THREADS', threads)
        for result, other in zip(
            knn(features, 10, method=method), expected, strict=True
        ):
            np.testing.assert_array_equal(result, other)


@pytest.mark.parametrize('n', [1, 2, 3, 25])
@pytest.mark.parametrize('method', ['ivf', 'hnsw'])
@pytest.mark.parametrize('n_components', [None, 1])
def test_few_rows_get_all_their_neighbors(n, method, n_components):
    features = re_id_like(n, 3, 8)[0]
    indices, _ = knn(features, 30, method=method, n_components=n_components)
    np.testing.assert_array_equal(indices, knn(features, 30, method='exact')[0])


def test_above_a_hundred_thousand_rows_the_search_is_approximate(monkeypatch):
    features = re_id_like(500, 30, 16)[0]
    monkeypatch.setitem(knn.__globals__, '_MOST_EXACT_ROWS', 500)
    np.testing.assert_array_equal(
        knn(features, 5)[0], knn(features, 5, method='exact')[0]
    )
    monkeypatch.setitem(knn.__globals__, '_MOST_EXACT_ROWS', 499)
    np.testing.assert_array_equal(
        knn(features, 5)[0], knn(features, 5, method='ivf')[0]
    )


@pytest.mark.parametrize('method', ['exact', 'ivf', 'hnsw'])
def test_components_are_searched_and_all_dimensions_decide(method):
    features, _ = re_id_like(1000, 50, 24, noise=0.3)
    wide = np.concatenate([features, 0.05 * re_id_like(1000, 1000, 40)[0]], axis=1)
    expected = knn(wide, 10, method='exact')
    indices, similarities = knn(wide, 10, method=method, n_components=24)
    assert recall(indices, expected[0]) > 0.95
    same = indices == expected[0]
    np.testing.assert_array_equal(similarities[same], expected[1][same])
    coarse, _ = knn(wide, 10, method=method, n_components=2)
    assert recall(coarse, expected[0]) < recall(indices, expected[0])


@pytest.mark.parametrize('size', [2, 3])
@pytest.mark.parametrize('method', ['exact', 'ivf', 'hnsw'])
def test_processes_that_share_the_search_find_the_same(method, size):
    features = re_id_like(600, 30, 16, noise=1)[0]
    expected = knn(features, 8, method=method)
    for result in in_processes(
        size, lambda share: knn(features, 8, method=method, share=share)
    ):
        for part, other in zip(result, expected, strict=True):
            np.testing.assert_array_equal(part, other)


def test_there_may_be_more_processes_than_rows():
    features = re_id_like(3, 2, 8)[0]
    for method in ('exact', 'ivf', 'hnsw'):
        expected = knn(features, 2, method='exact')[0]
        for indices, _ in in_processes(
            5, lambda share, m=method: knn(features, 2, method=m, share=share)
        ):
            np.testing.assert_array_equal(indices, expected)


def in_processes(size, call):
    """Call with the share of each rank; threads stand for processes."""
    barrier = threading.Barrier(size, timeout=60)
    parts = [None] * size

    def share_of(rank):
        def gather(rows):
            parts[rank] = rows
            barrier.wait()
            joined = np.concatenate(parts)
            barrier.wait()
            return joined

        return Share(rank, size, gather)

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda rank: call(share_of(rank)), range(size)))


def test_recall_of_an_approximate_search_is_logged(tmp_path):
    log = tmp_path / 'log.txt'
    MMLogger.get_instance('test_knn_recall', log_file=str(log))
    features = re_id_like(400, 20, 16)[0]
    knn(features, 5, method='exact')
    assert log.read_text() == ''
    knn(features, 5, method='ivf')
    expected = neighbor_recall(features, knn(features, 5, method='ivf')[1])
    assert f'ivf search found {expected:.1%} of the 5 nearest' in log.read_text()
