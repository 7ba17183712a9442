"""Maps of embeddings: what is alike lies together, and the same seed gives the same."""

import sys

import numpy as np
import pytest

from mmreid_cc.visualization import embedding_map, project

GROUPS = np.repeat([0, 1, -1], 12)


@pytest.fixture(scope='module')
def features():
    """Three far groups on the sphere."""
    noise = np.random.default_rng(0).normal(0, 0.05, (36, 8))
    vectors = np.eye(8)[np.repeat([0, 1, 2], 12)] + noise
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def assert_separated(places):
    """The nearest other image of every image is of its own group."""
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_array_equal(GROUPS[distances.argmin(axis=1)], GROUPS)


def test_tsne(features):
    places = project(features, seed=3)
    assert places.shape == (36, 2)
    assert_separated(places)
    np.testing.assert_array_equal(places, project(features, seed=3))


@pytest.mark.slow
def test_umap(features):
    places = project(features, 'umap', seed=3)
    assert_separated(places)
    np.testing.assert_array_equal(places, project(features, 'umap', seed=3))


def test_figure():
    places = np.arange(72).reshape(36, 2)
    by_cluster, by_camera = embedding_map(
        places, {'cluster': GROUPS, 'camera': np.arange(36)}
    ).axes
    assert by_cluster.get_title() == 'By cluster: 2'
    labels = [text.get_text() for text in by_cluster.get_legend().texts]
    assert labels == ['no cluster (12)', 'cluster 0 (12)', 'cluster 1 (12)']
    assert by_camera.get_legend() is None  # too many to be named
    drawn = sum(len(points.get_offsets()) for points in by_camera.collections)
    assert drawn == 36
    looks = {
        (*points.get_facecolor()[0], points.get_paths()[0].vertices.tobytes())
        for points in by_camera.collections
    }
    assert len(looks) == 36


def test_errors(features, monkeypatch):
    with pytest.raises(ValueError, match=r"one of \('tsne', 'umap'\), not 'pca'"):
        project(features, 'pca')
    with pytest.raises(ValueError, match='at least 4 images, got 3'):
        project(features[:3])
    with pytest.raises(ValueError, match="35 groups in 'cluster' do not fit 36"):
        embedding_map(np.zeros((36, 2)), {'cluster': GROUPS[1:]})
    monkeypatch.setitem(sys.modules, 'umap', None)
    with pytest.raises(ImportError, match=r'pip install -e .\.\[extra\]'):
        project(features, 'umap')
