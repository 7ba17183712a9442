import numpy as np
import pytest
import torch
from dense_oracle import re_id_like

from mmreid_cc.clustering import cluster_centroids


def test_equals_a_loop_over_clusters():
    features, labels = re_id_like(200, 15, 32)
    labels[::7] = -1
    centroids = cluster_centroids(features, labels)
    for label, centroid in enumerate(centroids):
        mean = features[labels == label].mean(axis=0)
        np.testing.assert_allclose(centroid, mean / np.linalg.norm(mean), atol=1e-6)
    assert centroids.shape == (15, 32)
    assert centroids.dtype == np.float32
    assert cluster_centroids(features.astype(float), labels).dtype == np.float64


def test_takes_tensors():
    features = torch.eye(3, requires_grad=True)
    centroids = cluster_centroids(features, torch.tensor([1, 0, -1]))
    assert centroids.tolist() == [[0, 1, 0], [1, 0, 0]]


def test_without_clusters_there_are_no_centroids():
    assert cluster_centroids(np.eye(3), [-1, -1, -1]).shape == (0, 3)


def test_features_that_cancel_out_give_zero():
    features = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    assert cluster_centroids(features, [0, 0, 1]).tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ('labels', 'error', 'message'),
    [
        ([0, 1], ValueError, '2 labels do not fit 3 features'),
        ([0, 2, 4], ValueError, 'of 5 clusters 2 have no image, the first is 1'),
        ([0.0, 1.0, 1.0], TypeError, 'labels must be integers, got float64'),
        ([[0, 1, 1]], ValueError, 'labels must be a 1-D array'),
    ],
)
def test_wrong_labels(labels, error, message):
    with pytest.raises(error, match=message):
        cluster_centroids(np.eye(3), labels)
