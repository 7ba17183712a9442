import sys
from pathlib import Path

import numpy as np
import pytest
from dense_oracle import re_id_like
from sklearn.metrics import adjusted_rand_score

from mmreid_cc.clustering import CLUSTERERS, InfoMap
from mmreid_cc.clustering.infomap import communities, drop_small

pytest.importorskip('infomap', reason='infomap is an extra')
DATA = Path(__file__).parents[1] / 'data'


@pytest.mark.parametrize('seed', [1, 123])
def test_agrees_with_the_public_code(seed):
    golden = np.load(DATA / 'infomap_k15_sim0.5_min4.npz')
    labels = InfoMap(seed=seed).fit_predict(golden['features'])
    assert adjusted_rand_score(golden['labels'], labels) >= 0.95
    assert labels.dtype == np.int64
    assert set(labels) == set(range(-1, labels.max() + 1))
    assert np.bincount(labels[labels >= 0]).min() >= 5


def test_finds_identities_and_repeats_itself():
    features, pids = re_id_like(300, 12, 64, noise=0.3)
    clusterer = CLUSTERERS.build(dict(type='InfoMap', k=15))
    labels = clusterer.fit_predict(features)
    assert adjusted_rand_score(pids, labels) > 0.95
    np.testing.assert_array_equal(clusterer.fit_predict(features), labels)
    assert list(clusterer.stage_seconds) == ['neighbours', 'infomap']


def test_without_links_nothing_is_clustered():
    assert InfoMap().fit_predict(np.eye(20)).tolist() == [-1] * 20
    assert InfoMap().fit_predict(np.eye(1)).tolist() == [-1]


def test_weak_links_do_not_count():
    pairs = np.array([[1.0, 0.0], [0.8, 0.6]])  # cosine 0.8
    linked = InfoMap(min_similarity=0.79, min_cluster_size=2)
    assert linked.fit_predict(pairs).tolist() == [0, 0]
    unlinked = InfoMap(min_similarity=0.81, min_cluster_size=2)
    assert unlinked.fit_predict(pairs).tolist() == [-1, -1]


def test_small_clusters_are_dropped():
    features = np.repeat(np.eye(3), [5, 4, 6], axis=0)
    labels = InfoMap().fit_predict(features)
    assert labels[5:9].tolist() == [-1] * 4
    assert len({*labels[:5]}) == len({*labels[9:]}) == 1
    assert {*labels} == {-1, 0, 1}
    assert drop_small(np.array([4, 4, -1, 7]), 2).tolist() == [4, 4, -1, -1]


def test_links_have_a_direction_and_a_weight():
    sources, targets = np.array([0, 1, 2, 3, 1]), np.array([1, 0, 3, 2, 2])
    weak_bridge = np.array([1, 1, 1, 1, 0.01])
    labels = communities(5, sources, targets, weak_bridge, seed=1)
    assert labels[0] == labels[1] != labels[2] == labels[3]
    assert labels[4] == -1


def test_missing_library_is_named_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, 'infomap', None)
    with pytest.raises(ImportError, match=r'pip install mmreid-cc\[infomap\]'):
        InfoMap()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'k': 1}, 'k counts the image itself and must be at least 2'),
        ({'k': '15'}, "k must be an integer of at least 1, got '15'"),
        ({'min_similarity': 0}, r'min_similarity must lie in \(0, 1\], got 0'),
        ({'min_similarity': 1.1}, r'min_similarity must lie in \(0, 1\], got 1\.1'),
        ({'min_cluster_size': 0}, 'min_cluster_size must be an integer of at least 1'),
        ({'seed': 0}, 'seed must be an integer of at least 1, got 0'),
    ],
)
def test_wrong_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        InfoMap(**arguments)


def test_features_must_be_normalised():
    with pytest.raises(ValueError, match='must be L2-normalised: 1 of 3 rows'):
        InfoMap().fit_predict(np.diag([1.0, 0.5, 1.0]))
