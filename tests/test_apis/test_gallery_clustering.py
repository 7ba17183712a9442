"""A gallery is clustered as its config clusters in training."""

import numpy as np
import pytest
from mmengine.config import Config

from mmreid_cc.apis.gallery_clustering import GalleryClusterer
from mmreid_cc.apis.metadata_numbers import camera_name, camera_numbers, known_numbers

PEOPLE = np.repeat([0, 1, 2], 6)
CAMERAS = np.array(['hall', 'door'] * 9)
SIZES = dict(k1_intra=2, k1_inter=2, k2_intra=1, k2_inter=1)


@pytest.fixture
def cfg():
    clusterer = dict(type='DBSCAN', eps=0.5, min_samples=2, k1=4, k2=2)
    hook = dict(type='ClusterMemoryHook', clusterer=clusterer)
    return Config(dict(default_hooks=dict(cluster_memory=hook)))


def test_as_the_config_says(cfg):
    clusterer = GalleryClusterer(cfg)
    assert repr(clusterer) == 'DBSCAN(eps=0.5, min_samples=2, k1=4, k2=2)'
    assert clusterer.fit_predict(np.eye(3)[PEOPLE]).tolist() == PEOPLE.tolist()
    moved = Config(dict(custom_hooks=[cfg.default_hooks.cluster_memory]))
    assert repr(GalleryClusterer(moved)) == repr(clusterer)


def test_by_cameras(cfg):
    """Each camera adds something to all its images, which must not join them."""
    by_camera = np.eye(5)[PEOPLE] + 3 * np.eye(5)[3 + (CAMERAS == 'hall')]
    embeddings = by_camera / np.linalg.norm(by_camera, axis=1, keepdims=True)
    hook = cfg.default_hooks.cluster_memory
    hook.camera_normalization = 'standardize'
    found = GalleryClusterer(cfg, CAMERAS).fit_predict(embeddings)
    assert found.tolist() == PEOPLE.tolist()
    hook.camera_normalization = None
    hook.clusterer.cameras = SIZES
    found = GalleryClusterer(cfg, CAMERAS).fit_predict(np.eye(3)[PEOPLE])
    assert found.tolist() == PEOPLE.tolist()
    hook.clusterer = dict(type='KMeans', n_clusters=3)
    hook.camera_normalization = 'mean'
    found = GalleryClusterer(cfg, CAMERAS).fit_predict(embeddings)
    assert len(set(zip(found, PEOPLE, strict=True))) == 3


def test_by_tracks(cfg):
    """All look alike; the tracker knows better: two at a time, in each camera."""
    inner = dict(type='DBSCAN', eps=0.5, min_samples=2, k1=6, k2=2)
    hook = cfg.default_hooks.cluster_memory
    hook.clusterer = dict(type='Tracklets', clusterer=inner)
    rng = np.random.default_rng(0)
    embeddings = np.array([1.0, 0, 0]) + 0.01 * np.eye(3)[PEOPLE]
    embeddings += 0.001 * rng.standard_normal(embeddings.shape)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    tracks = np.array(['a', 'b', 'c'])[PEOPLE]
    known = CAMERAS, tracks, np.arange(18) % 6
    found = GalleryClusterer(cfg, *known).fit_predict(embeddings)
    assert found.tolist() == PEOPLE.tolist()
    found = GalleryClusterer(cfg, CAMERAS, tracks).fit_predict(embeddings)
    assert not found.any()
    assert known_numbers(['x', '', 'a', '-1', 'x']).tolist() == [1, -1, 0, -1, 1]


@pytest.mark.parametrize('cameras', [None, ['', *CAMERAS[1:]], [-1, *range(17)]])
def test_cameras_that_are_missing(cfg, cameras):
    hook = cfg.default_hooks.cluster_memory
    hook.camera_normalization = 'mean'
    with pytest.raises(ValueError, match=r'cluster_memory\.camera_normalization=None'):
        GalleryClusterer(cfg, cameras)
    hook.camera_normalization = None
    hook.clusterer.cameras = {}
    with pytest.raises(ValueError, match=r'cluster_memory\.clusterer\.cameras=None'):
        GalleryClusterer(cfg, cameras)


def test_nothing_to_cluster_by():
    with pytest.raises(ValueError, match='Use a config of Cluster Contrast'):
        GalleryClusterer(Config(dict(default_hooks=dict(cluster_memory=None))))


def test_names_of_cameras():
    assert [camera_name(c) for c in (3, 0, 'hall', 2.0)] == ['3', '0', 'hall', '2.0']
    assert [camera_name(c) for c in (-1, '', float('nan'))] == [None, None, None]
    assert camera_numbers(CAMERAS)[:3].tolist() == [1, 0, 1]
    assert camera_numbers([7, -1]) is None
