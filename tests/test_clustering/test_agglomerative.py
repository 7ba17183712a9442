import numpy as np
import pytest
from dense_oracle import densify, re_id_like
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from mmreid_cc.clustering import CLUSTERERS, Agglomerative, jaccard_distance


@pytest.mark.parametrize('linkage', ['average', 'complete', 'single'])
@pytest.mark.parametrize('threshold', [0.3, 0.6, 0.9])
def test_equals_scikit_learn_on_the_dense_distance(linkage, threshold):
    features, _ = re_id_like(400, 25, 32, noise=0.9)
    labels = Agglomerative(threshold, linkage, 1, k1=15, k2=4).fit_predict(features)
    dense = densify(jaccard_distance(features, 15, 4)).astype(np.float64)
    scikit = AgglomerativeClustering(
        n_clusters=None,
        distance_threshold=threshold + 1e-9,
        metric='precomputed',
        linkage=linkage,
    )
    assert adjusted_rand_score(scikit.fit_predict(dense), labels) == 1


def test_small_clusters_stay_unclustered():
    features = np.repeat(np.eye(3), [5, 4, 3], axis=0)
    clusterer = CLUSTERERS.build(dict(type='Agglomerative', k1=5, k2=1))
    assert clusterer.fit_predict(features).tolist() == [0] * 5 + [1] * 4 + [-1] * 3
    assert list(clusterer.stage_seconds) == ['neighbours', 'distance', 'agglomerative']


def test_the_threshold_itself_still_merges():
    features = np.repeat(np.eye(8), 2, axis=0)
    distance = jaccard_distance(features, 2, 1)
    assert distance.max() == 0
    angles = np.array([0, 0.1])
    pair = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    threshold = float(jaccard_distance(pair, 2, 1).max())
    merged = Agglomerative(threshold, 'single', 2, k1=2, k2=1)
    assert merged.fit_predict(pair).tolist() == [0, 0]
    apart = Agglomerative(np.nextafter(threshold, 0), 'single', 2, k1=2, k2=1)
    assert apart.fit_predict(pair).tolist() == [-1, -1]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'distance_threshold': 1}, r'distance_threshold must lie in \(0, 1\), got 1'),
        ({'linkage': 'ward'}, r"linkage must be one of .*, got 'ward'"),
        ({'min_cluster_size': 0}, 'min_cluster_size must be an integer of at least 1'),
        ({'k1': 5}, r'k2 must be an integer in 1…5, got 6'),
    ],
)
def test_wrong_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        Agglomerative(**arguments)
