import numpy as np
import pytest
from dense_oracle import re_id_like

from mmreid_cc.clustering import knn, neighbor_recall


def test_estimates_the_share_of_true_neighbors():
    features = re_id_like(2000, 100, 32, noise=1)[0]
    indices, similarities = knn(features, 10, method='exact')
    assert neighbor_recall(features, similarities) == 1
    approximate, worse = knn(features, 10, method='exact', n_components=6)
    pairs = zip(indices, approximate, strict=True)
    expected = np.mean([np.isin(a, b).mean() for a, b in pairs])
    assert 0.3 < expected < 0.97
    assert neighbor_recall(features, worse) == pytest.approx(expected, abs=0.03)
    everywhere = neighbor_recall(features, worse, n_rows=5000)
    assert everywhere == pytest.approx(expected, abs=1e-6)


def test_any_of_equal_copies_is_a_true_neighbor():
    features = np.tile([[0.6, 0.8]], (40, 1))
    assert neighbor_recall(features, knn(features, 3)[1]) == 1


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r'shape \(3, k\).*got \(2, 2\)'):
        neighbor_recall(np.eye(3), np.ones((2, 2)))
    with pytest.raises(ValueError, match='n_rows must be an integer of at least 1'):
        neighbor_recall(np.eye(3), np.ones((3, 2)), n_rows=0)
