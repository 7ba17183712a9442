import numba
import numpy as np
import pytest
import torch
from dense_oracle import dense_jaccard, densify, re_id_like
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmreid_cc.clustering import (
    CLUSTERERS,
    CameraSizes,
    camera_jaccard_distance,
)
from mmreid_cc.clustering.camera_neighbors import camera_neighbors

NAMES = ['DBSCAN', 'HDBSCAN', 'Agglomerative']


def dense_lists(features, cam_ids, k_intra, k_inter):
    """Sort the rows of the similarity matrix, camera by camera."""
    features = features.astype(np.float32).astype(np.float64)
    similarities = (features @ features.T).astype(np.float32)
    lists = [], []
    for i, row in enumerate(similarities):
        same = [j for j in range(len(row)) if cam_ids[j] == cam_ids[i] and j != i]
        other = [j for j in range(len(row)) if cam_ids[j] != cam_ids[i]]
        same, other = (sorted(js, key=lambda j: (-row[j], j)) for js in (same, other))
        same = sorted([i, *same[: k_intra - 1]], key=lambda j: (-row[j], j))
        lists[0].append(same)
        lists[1].append(other[:k_inter])
    return lists


def dense_camera_jaccard(features, cam_ids, sizes):
    """Chen et al., CVPR 2024: reciprocal in each list, weights, means over both."""
    n = len(features)
    intra, inter = dense_lists(features, cam_ids, sizes.k1_intra, sizes.k1_inter)
    features = features.astype(np.float64)
    squared = 2 - 2 * features @ features.T
    weights = np.zeros((n, n))
    for i in range(n):
        members = [j for lists in (intra, inter) for j in lists[i] if i in lists[j]]
        weights[i, members] = np.exp(-squared[i, members])
        weights[i] /= weights[i].sum()
    if sizes.k2_intra + sizes.k2_inter > 1:
        rows = zip(intra, inter, strict=True)
        nearest = [a[: sizes.k2_intra] + b[: sizes.k2_inter] for a, b in rows]
        weights = np.stack([weights[row].mean(axis=0) for row in nearest])
    return dense_jaccard(weights)


@st.composite
def problems(draw):
    """Small integers make duplicates, opposite and zero rows likely."""
    n, dim = draw(st.integers(2, 14)), draw(st.integers(1, 4))
    features = draw(arrays(np.float64, (n, dim), elements=st.integers(-2, 2)))
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    features = features / np.where(norms == 0, 1, norms)
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    cam_ids = draw(arrays(np.int64, n, elements=st.integers(-1, 2)))
    cam_ids[:2] = 0, 1
    k1_intra, k1_inter = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    k2 = draw(st.integers(1, k1_intra)), draw(st.integers(1, k1_inter))
    return features.astype(dtype), cam_ids, CameraSizes(k1_intra, k1_inter, *k2)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_equals_the_dense_textbook(problem):
    features, cam_ids, sizes = problem
    distance = camera_jaccard_distance(features, cam_ids, sizes)
    expected = dense_camera_jaccard(features, cam_ids, sizes)
    dense = densify(distance)
    np.testing.assert_allclose(dense, expected, atol=1e-5)
    np.testing.assert_array_equal(dense, dense.T)
    assert distance.has_canonical_format


def test_equals_the_dense_textbook_at_the_papers_sizes():
    features, _ = re_id_like(400, 30, 16, noise=1)
    cam_ids = np.random.default_rng(0).integers(1, 4, 400)
    expected = dense_camera_jaccard(features, cam_ids, CameraSizes())
    distance = camera_jaccard_distance(
        torch.from_numpy(features), torch.from_numpy(cam_ids)
    )
    np.testing.assert_allclose(densify(distance), expected, atol=1e-5)
    near = densify(camera_jaccard_distance(features, cam_ids, max_distance=0.5))
    dense = densify(distance)
    np.testing.assert_array_equal(near, np.where(dense <= 0.5, dense, 1))


def test_lists_are_exact_where_rounding_could_decide():
    """Near copies of few images: more of them than the margin of candidates."""
    rng = np.random.default_rng(0)
    features = re_id_like(6, 6, 256)[0][rng.integers(0, 6, 300)]
    features = features * (1 + 1e-7 * rng.normal(size=features.shape))
    features = features.astype(np.float32)
    cam_ids = rng.integers(1, 4, 300)
    intra, inter = camera_neighbors(features, cam_ids, 7, 9)
    expected = dense_lists(features, cam_ids, 7, 9)
    np.testing.assert_array_equal(intra, expected[0])
    np.testing.assert_array_equal(inter, expected[1])


def test_does_not_depend_on_threads(monkeypatch):
    features, _ = re_id_like(2500, 100, 32, noise=1)
    cam_ids = np.random.default_rng(0).integers(1, 4, 2500)
    expected = camera_jaccard_distance(features, cam_ids)
    for threads in (1, 3):
        monkeypatch.setattr(numba.config, 'NUMBA_NUM_THREADS', threads)
        distance = camera_jaccard_distance(features, cam_ids)
        for part in ('indptr', 'indices', 'data'):
            np.testing.assert_array_equal(
                getattr(distance, part), getattr(expected, part)
            )


def camera_biased(seed=0):
    """30 people, 4 images each in 2 cameras, which add more than people differ by."""
    rng = np.random.default_rng(seed)
    people = np.repeat(rng.normal(size=(30, 32)), 8, axis=0)
    cam_ids = np.tile(np.repeat([1, 2], 4), 30)
    cameras = 1.5 * rng.normal(size=(2, 32))[cam_ids - 1]
    features = people + cameras + 0.2 * rng.normal(size=people.shape)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features.astype(np.float32), cam_ids, np.repeat(np.arange(30), 8)


def test_finds_people_across_cameras_where_the_plain_distance_does_not():
    features, cam_ids, pids = camera_biased()
    sizes = dict(k1_intra=5, k1_inter=5, k2_intra=2, k2_inter=2)
    across = (pids[:, None] == pids) & (cam_ids[:, None] != cam_ids)
    shares = []
    for cameras in (None, sizes):
        clusterer = CLUSTERERS.build(
            dict(type='DBSCAN', eps=0.6, k1=8, k2=4, cameras=cameras)
        )
        labels = clusterer.fit_predict(features, cam_ids=cam_ids)
        together = (labels[:, None] == labels) & (labels >= 0)
        shares.append(together[across].mean())
    assert shares[0] < 0.2
    assert shares[1] > 0.7


@pytest.mark.parametrize('name', NAMES)
def test_clusterers_take_the_distance_by_camera(name):
    features, cam_ids, _ = camera_biased()
    clusterer = CLUSTERERS.build(dict(type=name, cameras=dict(k1_inter=6)))
    labels = clusterer.fit_predict(features, cam_ids=cam_ids)
    assert list(clusterer.stage_seconds) == ['distance', name.lower()]
    sizes = CameraSizes(k1_inter=6)
    distance = camera_jaccard_distance(
        features, cam_ids, sizes, max_distance=clusterer.max_distance
    )
    expected = clusterer.number(clusterer.cluster_distance(distance), len(features))
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'k1_intra': 0}, 'k1_intra must be an integer of at least 1, got 0'),
        ({'k1_inter': 0}, 'k1_inter must be an integer of at least 1, got 0'),
        ({'k1_intra': 3, 'k2_intra': 4}, r'k2_intra must be an integer in 1…3, got 4'),
        ({'k1_inter': 3, 'k2_inter': 4}, r'k2_inter must be an integer in 1…3, got 4'),
    ],
)
def test_wrong_sizes(arguments, message):
    with pytest.raises(ValueError, match=message):
        CLUSTERERS.build(dict(type='DBSCAN', cameras=arguments))


def test_errors():
    with pytest.raises(ValueError, match=r'All 3 images are of the camera 7: .*leave'):
        camera_jaccard_distance(np.eye(3), [7, 7, 7])
    with pytest.raises(ValueError, match='2 cameras do not fit 3 features'):
        camera_jaccard_distance(np.eye(3), [1, 2])
    with pytest.raises(ValueError, match='must be L2-normalised'):
        camera_jaccard_distance(2 * np.eye(2), [1, 2])
    with pytest.raises(ValueError, match=r'searched exactly.* leave `knn` out'):
        CLUSTERERS.build(dict(type='DBSCAN', cameras={}, knn=dict(method='hnsw')))
    clusterer = CLUSTERERS.build(dict(type='DBSCAN', cameras={}))
    with pytest.raises(ValueError, match=r'DBSCAN with `cameras` needs .* `cam_ids`'):
        clusterer.fit_predict(np.eye(3))
