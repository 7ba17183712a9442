import numpy as np
import pytest
import torch
from dense_oracle import re_id_like

from mmreid_cc.clustering import normalize_cameras


@pytest.mark.parametrize('standardize', [False, True])
def test_equals_the_formula(standardize):
    features, _ = re_id_like(200, 20, 8)
    cam_ids = np.random.default_rng(0).integers(-1, 3, 200)
    found = normalize_cameras(
        torch.from_numpy(features), torch.from_numpy(cam_ids), standardize=standardize
    )
    assert found.dtype == np.float32
    for i in range(0, 200, 17):
        own = features[cam_ids == cam_ids[i]].astype(np.float64)
        expected = features[i] - own.mean(axis=0)
        if standardize:
            expected /= own.std(axis=0)
        expected /= np.linalg.norm(expected)
        np.testing.assert_allclose(found[i], expected, atol=1e-6)


def test_what_a_camera_adds_is_taken_out():
    """The same people seen by two cameras, each of which adds its own vector."""
    people = np.random.default_rng(0).normal(size=(30, 16))
    cameras = 3 * np.random.default_rng(1).normal(size=(2, 16))
    features = np.concatenate([people + camera for camera in cameras])
    found = normalize_cameras(features, np.repeat([1, 2], 30))
    np.testing.assert_allclose(found[:30], found[30:], atol=1e-6)


@pytest.mark.parametrize('standardize', [False, True])
def test_odd_cameras(standardize):
    """An image alone in its camera, and equal images, have no direction left."""
    features = np.concatenate([np.eye(3), np.full((4, 3), 3**-0.5)]).astype(np.float32)
    cam_ids = [1, 1, 2, 3, 3, 3, 3]
    found = normalize_cameras(features, cam_ids, standardize=standardize)
    assert not found[2:].any()
    np.testing.assert_allclose(np.linalg.norm(found[:2], axis=1), 1, atol=1e-6)


def test_features_are_not_changed():
    features = np.eye(3, dtype=np.float32)
    normalize_cameras(features, [1, 1, 1])
    np.testing.assert_array_equal(features, np.eye(3))


def test_errors():
    with pytest.raises(ValueError, match='2 cameras do not fit 3 features'):
        normalize_cameras(np.eye(3), [1, 2])
    with pytest.raises(TypeError, match='cam_ids must be integers'):
        normalize_cameras(np.eye(2), [0.5, 1.0])
