from pathlib import Path

import numpy as np
import pytest
from dense_oracle import densify, re_id_like
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.logging import MMLogger
from scipy.sparse import csr_array
from sklearn.cluster import DBSCAN as ScikitDBSCAN

from mmreid_cc.clustering import CLUSTERERS, DBSCAN, jaccard_distance
from mmreid_cc.clustering.dbscan import dbscan, is_tied

DATA = Path(__file__).parents[1] / 'data'


def same_up_to_names(labels, others):
    pairs = set(zip(labels.tolist(), others.tolist(), strict=True))
    noise_agrees = all((a == -1) == (b == -1) for a, b in pairs)
    one_to_one = len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    return noise_agrees and one_to_one


# Left out: eps 0.5 with k2 6 and 0.4 with k2 4, where many pairs are exactly eps apart.
@pytest.mark.parametrize(
    ('name', 'eps'),
    [
        *(('jaccard_k30_6', eps) for eps in (0.4, 0.6, 0.7)),
        *(('jaccard_k15_4', eps) for eps in (0.5, 0.6, 0.7)),
        *(('jaccard_k20_1', eps) for eps in (0.4, 0.5, 0.6, 0.7)),
    ],
)
def test_labels_of_the_public_code(name, eps):
    golden = np.load(DATA / f'{name}.npz')
    clusterer = DBSCAN(eps, 4, k1=int(golden['k1']), k2=int(golden['k2']))
    labels = clusterer.fit_predict(golden['features'])
    assert labels.dtype == np.int64
    assert same_up_to_names(labels, golden[f'dbscan_labels_eps{eps}'])


def test_same_up_to_names_can_fail():
    labels = np.array([0, 0, 1, -1])
    assert same_up_to_names(labels, np.array([5, 5, 2, -1]))
    assert not same_up_to_names(labels, np.array([5, 5, 5, -1]))
    assert not same_up_to_names(labels, np.array([5, 4, 2, -1]))
    assert not same_up_to_names(labels, np.array([5, 5, -1, 2]))


@pytest.mark.parametrize('noise', [0.5, 1, 1.5])
@pytest.mark.parametrize(('eps', 'min_samples'), [(0.3, 2), (0.6, 4), (0.9, 8)])
def test_equals_scikit_learn_on_the_dense_distance(noise, eps, min_samples):
    features, _ = re_id_like(400, 25, 24, noise=noise, seed=int(10 * noise))
    labels = DBSCAN(eps, min_samples, k1=15, k2=4).fit_predict(features)
    distance = densify(jaccard_distance(features, 15, 4))
    scikit = ScikitDBSCAN(eps=eps, min_samples=min_samples, metric='precomputed')
    np.testing.assert_array_equal(labels, scikit.fit_predict(distance))


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 25),
    st.floats(0.0, 0.4),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
)
def test_any_graph_gives_the_labels_of_scikit_learn(n, density, min_samples, seed):
    upper = np.triu(np.random.default_rng(seed).random((n, n)) < density, k=1)
    neighbors = upper | upper.T | np.eye(n, dtype=bool)
    rows, columns = np.nonzero(neighbors)
    graph = csr_array((np.zeros(len(rows)), (rows, columns)), shape=(n, n))
    scikit = ScikitDBSCAN(eps=0.5, min_samples=min_samples, metric='precomputed')
    expected = scikit.fit_predict(1 - neighbors.astype(float))
    np.testing.assert_array_equal(dbscan(graph, min_samples), expected)


def test_corner_cases():
    assert DBSCAN().fit_predict(np.eye(1)).tolist() == [-1]
    assert DBSCAN(min_samples=1, k1=1, k2=1).fit_predict(np.eye(1)).tolist() == [0]
    assert DBSCAN(k1=2, k2=1).fit_predict(np.eye(50)).tolist() == [-1] * 50
    copies = np.tile([[0.6, 0.8]], (100, 1))
    assert DBSCAN().fit_predict(copies).tolist() == [0] * 100


def test_stages_are_timed():
    clusterer = CLUSTERERS.build(dict(type='DBSCAN', eps=0.6, min_samples=4))
    clusterer.fit_predict(re_id_like(100, 5, 16)[0])
    assert list(clusterer.stage_seconds) == ['neighbours', 'distance', 'dbscan']


def test_warns_once_where_rounding_decides(tmp_path):
    log = tmp_path / 'log.txt'
    MMLogger.get_instance('test_dbscan_ties', log_file=str(log))
    DBSCAN(eps=0.6)
    assert log.read_text() == ''
    clusterer = DBSCAN(eps=0.5)
    clusterer.fit_predict(np.eye(4))
    assert log.read_text().count('with k2=6 many pairs are exactly eps=0.5 apart') == 1


@pytest.mark.parametrize(
    ('eps', 'k2', 'tied'),
    [
        (0.5, 6, True),  # four of six rows in common
        (2 / 3, 6, True),  # three of six
        (0.4, 4, True),  # three of four
        (0.4, 6, False),
        (0.6, 6, False),
        (0.7, 6, False),
        (0.5, 1, False),  # no query expansion
    ],
)
def test_ties(eps, k2, tied):
    assert is_tied(eps, k2) is tied


def test_features_must_be_normalised():
    with pytest.raises(ValueError, match='must be L2-normalised: 1 of 3 rows'):
        DBSCAN().fit_predict(np.diag([1.0, 0.5, 1.0]))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'eps': 0}, r'eps must lie in \(0, 1\), got 0'),
        ({'eps': 1.0}, r'eps must lie in \(0, 1\), got 1\.0'),
        ({'min_samples': 0}, 'min_samples must be an integer of at least 1, got 0'),
        ({'k1': 2.5}, r'k1 must be an integer of at least 1, got 2\.5'),
        ({'k1': 5}, r'k2 must be an integer in 1…5, got 6'),
    ],
)
def test_wrong_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        DBSCAN(**arguments)
