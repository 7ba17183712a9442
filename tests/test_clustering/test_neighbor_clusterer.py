import numpy as np
import pytest
from dense_oracle import re_id_like

from mmreid_cc.clustering import CLUSTERERS, NeighborClusterer, knn

NAMES = ['DBSCAN', 'InfoMap', 'HDBSCAN', 'Agglomerative']


class Lists(NeighborClusterer):
    def cluster_neighbors(self, features, neighbors, similarities):
        self.seen = neighbors, similarities
        return np.zeros(len(features), dtype=int)


@pytest.mark.parametrize('options', [None, {'method': 'hnsw'}, {'n_components': 2}])
def test_neighbors_are_searched_as_asked(options):
    features = re_id_like(300, 20, 16, noise=1)[0]
    clusterer = Lists(5, options)
    clusterer.fit_predict(features)
    for part, other in zip(
        clusterer.seen, knn(features, 5, **(options or {})), strict=True
    ):
        np.testing.assert_array_equal(part, other)
    assert list(clusterer.stage_seconds) == ['neighbours']


@pytest.mark.parametrize('name', NAMES)
def test_given_neighbors_replace_the_search(name):
    if name == 'InfoMap':
        pytest.importorskip('infomap', reason='infomap is an extra')
    features = re_id_like(300, 20, 16)[0]
    clusterer = CLUSTERERS.build(dict(type=name, knn=dict(n_components=3)))
    found = knn(features, clusterer.n_neighbors, **clusterer.knn)
    labels = clusterer.fit_predict(features, found)
    assert 'neighbours' not in clusterer.stage_seconds
    np.testing.assert_array_equal(labels, clusterer.fit_predict(features))
    assert 'neighbours' in clusterer.stage_seconds


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'method': 'fast'}, r"method must be one of .*, got 'fast'"),
        ({'n_components': 0}, 'n_components must be an integer of at least 1, got 0'),
        ({'k': 3}, r"knn may set 'method' and 'n_components', got also 'k'"),
    ],
)
@pytest.mark.parametrize('name', NAMES)
def test_wrong_options(name, options, message):
    if name == 'InfoMap':
        pytest.importorskip('infomap', reason='infomap is an extra')
    with pytest.raises(ValueError, match=message):
        CLUSTERERS.build(dict(type=name, knn=options))


def test_given_neighbors_are_checked():
    with pytest.raises(ValueError, match=r'neighbors must have shape \(3, 2\)'):
        Lists(2).fit_predict(np.eye(3), (np.zeros((3, 3), int), np.zeros((3, 3))))
    with pytest.raises(ValueError, match='must be L2-normalised'):
        Lists(3).fit_predict(2 * np.eye(3), knn(np.eye(3), 3))
