import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from mmreid_cc.evaluation import ReRankedDistance, ranking_metrics, re_ranking
from mmreid_cc.evaluation.functional import distances

DATA = Path(__file__).parents[1] / 'data'


def normalised(n, dim, seed=0, centres=20):
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((centres, dim))[rng.integers(0, centres, n)]
    features += 0.7 * rng.standard_normal((n, dim))
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def textbook(query, gallery, k1, k2, lambda_value):
    """Zhong et al., CVPR 2017, on dense matrices, without regard for speed."""
    features = np.concatenate([query, gallery])
    n, n_query = len(features), len(query)
    distance = (2 - 2 * features @ features.T) ** 2
    distance /= distance.max(axis=1, keepdims=True)
    ranks = np.argsort(distance, axis=1, kind='stable')

    def reciprocal(i, k):
        return {j for j in ranks[i, : k + 1] if i in ranks[j, : k + 1]}

    weights = np.zeros((n, n))
    for i in range(n):
        full = reciprocal(i, k1)
        expanded = set(full)
        for c in full:
            candidates = reciprocal(c, int(np.around(k1 / 2)))
            if len(full & candidates) > 2 / 3 * len(candidates):
                expanded |= candidates
        members = sorted(expanded)
        weights[i, members] = np.exp(-distance[i, members])
        weights[i] /= weights[i].sum()
    if k2 > 1:
        weights = np.stack([weights[row[:k2]].mean(axis=0) for row in ranks])
    jaccard = np.empty((n_query, n - n_query))
    for i in range(n_query):
        shared = np.minimum(weights[i], weights[n_query:]).sum(axis=1)
        jaccard[i] = 1 - shared / (2 - shared)
    original = distance[:n_query, n_query:]
    return lambda_value * original + (1 - lambda_value) * jaccard


def test_equals_the_public_code():
    golden = np.load(DATA / 'ranking.npz')
    distance = re_ranking(golden['query_features'], golden['gallery_features'])
    np.testing.assert_allclose(distance, golden['rerank_distance'], atol=1e-5)
    assert distance.dtype == np.float32


@pytest.mark.parametrize(
    ('k1', 'k2', 'lambda_value'),
    [(20, 6, 0.3), (7, 3, 0.5), (5, 1, 0.0), (1, 1, 0.3), (100, 6, 0.3), (4, 4, 1.0)],
)
def test_equals_the_dense_textbook(k1, k2, lambda_value):
    query, gallery = normalised(15, 16), normalised(50, 16, seed=1)
    distance = re_ranking(query, gallery, k1, k2, lambda_value)
    expected = textbook(query, gallery, k1, k2, lambda_value)
    np.testing.assert_allclose(distance, expected, atol=1e-5)


def test_length_and_kind_of_the_features_do_not_matter():
    query, gallery = normalised(10, 16), normalised(50, 16, seed=1)
    expected = re_ranking(query, gallery)
    lengths = np.linspace(0.1, 30, 50)[:, None]
    tensor = torch.tensor(5 * query, requires_grad=True)
    np.testing.assert_allclose(
        re_ranking(tensor, lengths * gallery), expected, atol=1e-5
    )


def test_equal_images_are_equally_far():
    query, gallery = np.ones((2, 8)), np.ones((3, 8))
    np.testing.assert_allclose(re_ranking(query, gallery), 0, atol=1e-6)


def test_no_square_matrix_exists():
    query, gallery = normalised(10, 8), normalised(12_000, 8, seed=1, centres=500)
    tracemalloc.start()
    try:
        re_ranking(query, gallery)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 150e6  # one (Q + G)² matrix is 577 MB


def test_ranking_reads_the_rows_as_they_come(monkeypatch):
    query, gallery = normalised(40, 16), normalised(300, 16, seed=1)
    rng = np.random.default_rng(0)
    labels = [rng.integers(0, 9, n) for n in (40, 300)]
    labels += [rng.integers(0, 3, n) for n in (40, 300)]
    dense = re_ranking(query, gallery)
    expected = ranking_metrics(None, None, *labels, distance=dense)
    sparse = ReRankedDistance(query, gallery)
    assert sparse.shape == dense.shape
    assert ranking_metrics(None, None, *labels, distance=sparse) == expected
    monkeypatch.setattr(distances, 'CHUNK_BYTES', 5000)
    rows = list(sparse.chunks())
    assert len(rows) == 10
    joined = np.concatenate([values for _, values in rows])
    np.testing.assert_allclose(joined, dense, atol=1e-6)
    lower, upper = sparse.bounds()
    assert lower - 1e-6 <= dense.min() <= dense.max() <= upper + 1e-6


def test_ranking_by_it_holds_no_matrix(monkeypatch):
    query = normalised(3000, 8, centres=500)
    gallery = normalised(12_000, 8, seed=1, centres=500)
    labels = [np.arange(n) % 500 for n in (3000, 12_000)]
    cams = [np.zeros(3000, np.int64), np.ones(12_000, np.int64)]
    monkeypatch.setattr(distances, 'CHUNK_BYTES', 4 * 2**20)
    sparse = ReRankedDistance(query, gallery)
    tracemalloc.start()
    try:
        ranking_metrics(None, None, *labels, *cams, distance=sparse)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30e6  # the Q × G matrix is 144 MB


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'k1': 0}, 'k1 must be an integer of at least 1, got 0'),
        ({'k1': 4, 'k2': 5}, r'k2 must be an integer in 1…4, got 5'),
        ({'lambda_value': 1.5}, r'lambda_value must lie in \[0, 1\], got 1\.5'),
        ({'query_features': np.eye(2)}, 'query_features have 2 columns'),
        ({'gallery_features': np.zeros((2, 3))}, '2 of 2 rows of gallery_features'),
        ({'query_features': np.full((1, 3), np.nan)}, 'query_features: 1 of 1 rows'),
    ],
)
def test_wrong_arguments(arguments, message):
    features = {'query_features': np.eye(3), 'gallery_features': np.eye(3)}
    with pytest.raises(ValueError, match=message):
        re_ranking(**{**features, **arguments})
