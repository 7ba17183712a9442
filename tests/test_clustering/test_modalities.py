"""Clusters of each modality, and which of both are matched."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from mmreid_cc.clustering import (
    CLUSTERERS,
    infrared_images,
    match_by_count,
    match_progressively,
)

DBSCAN = dict(type='DBSCAN', eps=0.9, min_samples=2, k1=4, k2=1)


def unit(rng, *shape):
    features = rng.standard_normal(shape).astype(np.float32)
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def counted_in_a_loop(visible, labels, infrared, other_labels, threshold):
    """All pairs of images, from the most to the least frequent pair of clusters."""
    counts = Counter(
        (int(labels[i]), int(other_labels[j]))
        for i in range(len(visible))
        for j in range(len(infrared))
        if visible[i] @ infrared[j] >= threshold
    )
    matched = []
    for (ours, theirs), _ in sorted(counts.items(), key=lambda item: (-item[1], item)):
        if ours < 0 or theirs < 0:
            continue
        if any(ours == a or theirs == b for a, b in matched):
            continue
        matched.append((ours, theirs))
    return matched


@pytest.mark.parametrize('seed', range(5))
def test_counts_equal_the_loop(seed):
    rng = np.random.default_rng(seed)
    visible, infrared = unit(rng, 60, 4), unit(rng, 45, 4)
    labels = np.append(np.arange(7), rng.integers(-1, 7, 53))
    other_labels = np.append(np.arange(5), rng.integers(-1, 5, 40))
    found = match_by_count(visible, labels, infrared, other_labels, 0.5)
    expected = counted_in_a_loop(visible, labels, infrared, other_labels, 0.5)
    assert [tuple(pair) for pair in found.tolist()] == expected
    assert 3 <= len(found) <= 5


def test_nothing_is_similar_or_nothing_is_clustered():
    rng = np.random.default_rng(0)
    features, labels = unit(rng, 6, 4), np.arange(6) % 2
    for arguments in (
        (features, labels, features, labels, 1.5),
        (features, labels, features, np.full(6, -1), 0.5),
        (features, np.full(6, -1), features, labels, 0.5),
    ):
        assert match_by_count(*arguments).shape == (0, 2)
    assert match_by_count(features, labels, features[:1], [0], 0.5).shape == (1, 2)


def cheapest(cost):
    """Rows of the smaller side in an order that costs least, by trying all."""
    rows, columns = cost.shape
    return min(
        permutations(range(rows), columns),
        key=lambda order: sum(cost[row, column] for column, row in enumerate(order)),
    )


@pytest.mark.parametrize('shape', [(5, 5), (6, 4), (7, 2), (3, 5)])
def test_progressive_matching_costs_least_round_by_round(shape):
    similarities = np.random.default_rng(1).uniform(-1, 1, shape)
    to_infrared, to_visible = match_progressively(similarities)
    if shape[0] < shape[1]:
        similarities = similarities.T
        to_infrared, to_visible = to_visible, to_infrared
    cost = 1 / np.exp(similarities)
    left = np.arange(len(cost))
    first = True
    while len(left):
        if len(left) >= cost.shape[1]:
            rows = left[list(cheapest(cost[left]))]
            assert to_infrared[rows].tolist() == list(range(cost.shape[1]))
        else:
            columns = cheapest(cost[left].T)
            rows = left
            assert to_infrared[left].tolist() == list(columns)
        if first:
            assert to_visible.tolist() == rows.tolist()
        left = np.setdiff1d(left, rows)
        first = False


def test_one_cluster_or_none_in_a_modality():
    one, all_ = match_progressively(np.array([[0.1], [0.9], [0.5]]))
    assert (one.tolist(), all_.tolist()) == ([0, 0, 0], [1])
    none, nothing = match_progressively(np.empty((3, 0)))
    assert (none.tolist(), nothing.tolist()) == ([-1, -1, -1], [])


def test_infrared_images():
    assert infrared_images([1, -1, 3, 6], (3, 6)).tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match=r'no infrared image.*\[9\].*cameras \[1, 2\]'):
        infrared_images([1, 2], (9,))
    with pytest.raises(ValueError, match='There is no visible image'):
        infrared_images([3, 6], (3, 6))


def two_modalities(rng, people=4, images=6):
    """Features of two modalities that are far apart, the cameras and the people."""
    centres = unit(rng, 2 * people, 32)
    features = np.repeat(centres, images, axis=0) + 0.02 * unit(
        rng, 2 * people * images, 32
    )
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    cams = np.repeat([1, 3], people * images)
    return features, cams, np.repeat(np.arange(2 * people), images)


def test_each_modality_is_clustered_by_itself():
    features, cams, people = two_modalities(np.random.default_rng(0))
    features[-6:] = features[:6]  # alike, but of the other modality
    clusterer = CLUSTERERS.build(
        dict(type='ByModality', infrared_cameras=(3,), clusterer=DBSCAN)
    )
    order = np.random.default_rng(1).permutation(len(features))
    labels = clusterer.fit_predict(features[order], cam_ids=cams[order])
    alone = CLUSTERERS.build(DBSCAN)
    for camera in (1, 3):
        own = cams[order] == camera
        expected = alone.fit_predict(features[order][own])
        found = labels[own]
        np.testing.assert_array_equal(
            found[found >= 0] - found[found >= 0].min(), expected[expected >= 0]
        )
    assert set(labels) == set(range(len(set(people))))
    assert labels[cams[order] == 1].max() < labels[cams[order] == 3].min()
    assert set(clusterer.stage_seconds) == set(alone.stage_seconds)


def test_all_noise_in_a_modality():
    features, cams, people = two_modalities(np.random.default_rng(0))
    few = slice(None, 27)  # three infrared images, and four make a cluster
    clusterer = CLUSTERERS.build(
        dict(
            type='ByModality',
            infrared_cameras=(3,),
            clusterer=dict(DBSCAN, min_samples=4, k1=6),
        )
    )
    labels = clusterer.fit_predict(features[few], cam_ids=cams[few])
    np.testing.assert_array_equal(labels, np.where(cams == 1, people, -1)[few])


def test_what_an_algorithm_remembers_is_kept_for_each_modality():
    features, cams, _ = two_modalities(np.random.default_rng(0))
    inner = dict(type='SelfPacedDBSCAN', eps=0.6, k1=4, k2=1, min_samples=2)
    settings = dict(type='ByModality', infrared_cameras=(3,), clusterer=inner)
    first, resumed = CLUSTERERS.build(settings), CLUSTERERS.build(settings)
    first.fit_predict(features, cam_ids=cams)
    assert set(first.state) == {'visible', 'infrared'}
    resumed.state = first.state
    features[::3] = np.roll(features[::3], 1, axis=0)
    np.testing.assert_array_equal(
        first.fit_predict(features, cam_ids=cams),
        resumed.fit_predict(features, cam_ids=cams),
    )
    assert str(first.state) == str(resumed.state)


def test_cameras_are_needed():
    clusterer = CLUSTERERS.build(dict(type='ByModality', infrared_cameras=(3,)))
    with pytest.raises(ValueError, match='ByModality needs the camera of each image'):
        clusterer.fit_predict(np.eye(4))
