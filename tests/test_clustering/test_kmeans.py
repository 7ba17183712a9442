import numba
import numpy as np
import pytest
from dense_oracle import re_id_like

from mmreid_cc.clustering import CLUSTERERS, KMeans, clustering_quality


def test_finds_separate_groups_and_repeats_itself(monkeypatch):
    features, pids = re_id_like(600, 4, 32, noise=0.2)
    clusterer = CLUSTERERS.build(dict(type='KMeans', n_clusters=12, random_state=3))
    labels = clusterer.fit_predict(features)
    assert clustering_quality(labels, pids)['purity'] > 0.99
    assert list(clusterer.stage_seconds) == ['kmeans']
    monkeypatch.setattr(numba.config, 'NUMBA_NUM_THREADS', 1)
    np.testing.assert_array_equal(clusterer.fit_predict(features), labels)


def test_labels_are_those_of_the_nearest_mean():
    features, _ = re_id_like(500, 10, 16)
    labels = KMeans(10, max_iter=200).fit_predict(features)
    means = np.stack([features[labels == c].mean(axis=0) for c in range(10)])
    distances = ((features[:, None] - means) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == labels).mean() > 0.99  # converged


def test_more_clusters_than_images():
    assert sorted(KMeans(3).fit_predict(np.eye(3))) == [0, 1, 2]
    with pytest.raises(ValueError, match='n_clusters=4 is more than the 3 images'):
        KMeans(4).fit_predict(np.eye(3))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'n_clusters': 0}, 'n_clusters must be an integer of at least 1, got 0'),
        ({'n_clusters': 2, 'max_iter': 0}, 'max_iter must be an integer of at least 1'),
        ({'n_clusters': 2, 'random_state': -1}, 'random_state must be an integer of'),
    ],
)
def test_wrong_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        KMeans(**arguments)
