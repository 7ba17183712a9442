"""Every clusterer on every odd set of features."""

import numpy as np
import pytest
from dense_oracle import dense_jaccard_distance
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import DBSCAN as ScikitDBSCAN

from mmreid_cc.clustering import CLUSTERERS

pytest.importorskip('infomap', reason='infomap is an extra')
EPS = 0.4321  # no distance of few small integers
CONFIGS = [
    dict(type='DBSCAN', eps=EPS, min_samples=2, k1=5, k2=2),
    dict(type='DBSCAN', eps=EPS, min_samples=2, k1=5, k2=2, knn=dict(method='ivf')),
    dict(type='DBSCAN', eps=EPS, min_samples=2, k1=5, k2=2, knn=dict(method='hnsw')),
    dict(type='InfoMap', k=4, min_cluster_size=2),
    dict(type='HDBSCAN', min_cluster_size=2, min_samples=2, k1=5, k2=2),
    dict(type='Agglomerative', distance_threshold=EPS, k1=5, k2=2),
    dict(type='KMeans', n_clusters=1, max_iter=2),
]


# Small integers make duplicates, opposite and zero rows likely.
@st.composite
def odd_features(draw):
    n, dim = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    features = draw(arrays(np.float64, (n, dim), elements=st.integers(-1, 2)))
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    features = features / np.where(norms == 0, 1, norms)
    return features.astype(draw(st.sampled_from([np.float16, np.float32, np.float64])))


@pytest.mark.parametrize('config', CONFIGS, ids=lambda config: config['type'])
@settings(max_examples=25, deadline=None)
@given(features=odd_features())
def test_labels_are_well_formed_and_repeat_themselves(config, features):
    clusterer = CLUSTERERS.build(config)
    labels = clusterer.fit_predict(features)
    assert labels.shape == (len(features),)
    assert labels.dtype == np.int64
    assert set(labels) | {-1} == set(range(-1, labels.max() + 1))
    strided = np.repeat(features, 2, axis=0)[::2]
    turned = np.asfortranarray(features)
    for same in (strided, turned, features.astype(np.float32)):
        np.testing.assert_array_equal(clusterer.fit_predict(same), labels)


@settings(max_examples=100, deadline=None)
@given(features=odd_features())
def test_dbscan_equals_the_dense_textbook(features):
    labels = CLUSTERERS.build(CONFIGS[0]).fit_predict(features)
    distance = dense_jaccard_distance(features, 5, 2)
    if np.abs(distance - EPS).min() > 1e-5:
        scikit = ScikitDBSCAN(eps=EPS, min_samples=2, metric='precomputed')
        np.testing.assert_array_equal(labels, scikit.fit_predict(distance))


@pytest.mark.parametrize('config', CONFIGS, ids=lambda config: config['type'])
def test_copies_are_one_cluster(config):
    labels = CLUSTERERS.build(config).fit_predict(np.tile([[0.6, 0.8]], (50, 1)))
    if config['type'] == 'HDBSCAN':  # one group, with nothing that it differs from
        assert labels.tolist() == [-1] * 50
    elif config['type'] == 'InfoMap':  # three links each: the copies fall into groups
        assert labels.min() == 0
    else:
        assert labels.tolist() == [0] * 50


@pytest.mark.parametrize('config', CONFIGS[:-1], ids=lambda config: config['type'])
def test_images_without_any_likeness_are_noise(config):
    alone = {'k1': 1, 'k2': 1} if 'k1' in config else {}
    clusterer = CLUSTERERS.build({**config, **alone})
    assert clusterer.fit_predict(np.eye(20)).tolist() == [-1] * 20


@pytest.mark.parametrize('config', CONFIGS, ids=lambda config: config['type'])
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(config, value):
    features = np.eye(4)
    features[2, 1] = value
    with pytest.raises(ValueError, match='1 of 4 rows hold NaN or infinity'):
        CLUSTERERS.build(config).fit_predict(features)
