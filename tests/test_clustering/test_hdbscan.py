import numpy as np
import pytest
from dense_oracle import densify, re_id_like
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree
from sklearn.cluster import HDBSCAN as ScikitHDBSCAN
from sklearn.metrics import adjusted_rand_score

from mmreid_cc.clustering import CLUSTERERS, HDBSCAN, jaccard_distance
from mmreid_cc.clustering.hdbscan import connect


@pytest.mark.parametrize(('min_cluster_size', 'min_samples'), [(2, 1), (4, 4), (8, 6)])
def test_agrees_with_scikit_learn_on_the_dense_distance(min_cluster_size, min_samples):
    features, _ = re_id_like(500, 30, 32, noise=0.9)
    labels = HDBSCAN(min_cluster_size, min_samples, k1=15, k2=4).fit_predict(features)
    scikit = ScikitHDBSCAN(
        min_cluster_size, min_samples=min_samples, metric='precomputed', copy=True
    )
    dense = densify(jaccard_distance(features, 15, 4)).astype(np.float64)
    # Equal weights leave the spanning tree, and with it a few images, a choice.
    assert adjusted_rand_score(scikit.fit_predict(dense), labels) > 0.98


@pytest.mark.parametrize('min_entries', [1, 4])
def test_spanning_tree_weighs_what_that_of_the_dense_distance_does(min_entries):
    features, _ = re_id_like(300, 60, 16, noise=1.5)
    distance = jaccard_distance(features, 5, 1, max_distance=0.8)
    before = [part.copy() for part in (distance.indptr, distance.indices)]
    graph = connect(distance, min_entries)
    assert np.diff(graph.indptr).min() >= min_entries
    np.testing.assert_array_equal(graph.toarray(), graph.toarray().T)
    dense = densify(distance)
    stored = graph.toarray() > 0
    np.testing.assert_allclose(graph.toarray()[stored], dense[stored], atol=2e-6)
    weights = np.sort(minimum_spanning_tree(graph).data)
    expected = np.sort(minimum_spanning_tree(np.maximum(dense, 1e-6)).data)
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    for part, copy in zip((distance.indptr, distance.indices), before, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_a_graph_without_links_is_connected():
    eye = csr_array((np.zeros(5), (np.arange(5), np.arange(5))))
    assert (connect(eye, 3).toarray()[:, 0] == [1e-6, 1, 1, 1, 1]).all()


def test_corner_cases():
    clusterer = CLUSTERERS.build(dict(type='HDBSCAN'))
    assert clusterer.fit_predict(np.eye(1)).tolist() == [-1]
    assert clusterer.fit_predict(np.eye(3)).tolist() == [-1] * 3
    two, one = np.repeat(np.eye(2), 20, axis=0), np.repeat(np.eye(1), 20, axis=0)
    assert clusterer.fit_predict(two).tolist() == [0] * 20 + [1] * 20
    assert clusterer.fit_predict(one).tolist() == [-1] * 20  # nothing to differ from
    assert list(clusterer.stage_seconds) == ['neighbours', 'distance', 'hdbscan']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'min_cluster_size': 1}, 'min_cluster_size must be at least 2, got 1'),
        ({'min_samples': 0}, 'min_samples must be an integer of at least 1, got 0'),
        ({'k1': 5}, r'k2 must be an integer in 1…5, got 6'),
    ],
)
def test_wrong_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        HDBSCAN(**arguments)
