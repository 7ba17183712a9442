"""Tracks as supervision: what holds whatever the tracks are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmreid_cc.clustering import (
    CLUSTERERS,
    clustering_quality,
    pair_f1,
    pool_tracks,
    separate_overlapping,
    split_tracks,
    whiten_tracks,
)
from mmreid_cc.clustering.same_time import overlapping_clusters
from mmreid_cc.clustering.tracks import number_tracks, track_intervals

INNER = dict(type='DBSCAN', eps=0.55, min_samples=2, k1=5, k2=2)


def tracklets(**arguments):
    return CLUSTERERS.build(dict(type='Tracklets', clusterer=INNER, **arguments))


def people(rng, pids, noise=0.15, dim=16):
    """Features of images of people."""
    centers = rng.standard_normal((max(pids) + 1, dim))
    features = centers[pids] + noise * rng.standard_normal((len(pids), dim))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features.astype(np.float32)


@st.composite
def footage(draw):
    """Images with cameras, tracks and times, some of them unknown."""
    size = draw(st.integers(1, 40))
    numbers = st.lists(st.integers(0, 3), min_size=size, max_size=size)
    pids = np.array(draw(numbers))
    cam_ids = np.array(draw(numbers)) % 2
    tracks = np.array(draw(numbers)) - 1
    known = st.one_of(st.integers(0, 20).map(float), st.just(np.nan))
    times = np.array(draw(st.lists(known, min_size=size, max_size=size)))
    features = people(np.random.default_rng(draw(st.integers(0, 99))), pids)
    return features, cam_ids, tracks, times


def same(one, other):
    """Whether labels are equal up to their names."""
    pairs = {*zip(one.tolist(), other.tolist(), strict=True)}
    return len(pairs) == len(set(one)) == len(set(other)) and all(
        (a < 0) == (b < 0) for a, b in pairs
    )


@settings(max_examples=60, deadline=None)
@given(footage(), st.sampled_from(['separate', 'separate_cameras']))
def test_invariants(given_footage, same_time):
    features, cam_ids, tracks, times = given_footage
    clusterer = tracklets(same_time=same_time)
    labels = clusterer.fit_predict(features, cam_ids, tracks, times)
    groups = number_tracks(tracks, cam_ids)
    intervals = track_intervals(groups, times)
    label_of, size_of = {}, np.bincount(groups)
    for group in np.unique(groups):
        own = np.unique(labels[groups == group])
        assert len(own) == 1  # one label within a track
        label_of[group] = own[0]
        assert own[0] >= 0 or size_of[group] == 1
    for one in label_of:
        for other in label_of:
            together = (intervals[one, 0] <= intervals[other, 1]) and (
                intervals[other, 0] <= intervals[one, 1]
            )
            cameras = [cam_ids[groups == group][0] for group in (one, other)]
            here = cameras[0] == cameras[1] or same_time == 'separate_cameras'
            tracked = all(
                (tracks[groups == group] >= 0).all() for group in (one, other)
            )
            if one != other and together and here and tracked:
                assert label_of[one] != label_of[other] or label_of[one] == -1


@settings(max_examples=30, deadline=None)
@given(footage(), st.randoms(use_true_random=False))
def test_the_order_of_images_does_not_matter(given_footage, random):
    features, cam_ids, tracks, times = given_footage
    tracks = tracks + 1  # all of them have one
    order = np.array(random.sample(range(len(tracks)), len(tracks)))
    labels = tracklets().fit_predict(features, cam_ids, tracks, times)
    shuffled = tracklets().fit_predict(
        features[order], cam_ids[order], tracks[order], times[order]
    )
    assert same(labels[order], shuffled)


@settings(max_examples=20, deadline=None)
@given(footage())
def test_without_tracks_the_plain_result(given_footage):
    features, cam_ids, tracks, times = given_footage
    plain = CLUSTERERS.build(INNER).fit_predict(features)
    none = np.full_like(tracks, -1)
    np.testing.assert_array_equal(tracklets().fit_predict(features), plain)
    labels = tracklets(split=True).fit_predict(features, cam_ids, none, times)
    np.testing.assert_array_equal(labels, plain)


@settings(max_examples=20, deadline=None)
@given(footage(), st.integers(-50, 50))
def test_clocks(given_footage, offset):
    """Times may run backwards, and each camera may have a clock of its own."""
    features, cam_ids, tracks, times = given_footage
    labels = tracklets().fit_predict(features, cam_ids, tracks, times)
    backwards = tracklets().fit_predict(features, cam_ids, tracks, -times)
    np.testing.assert_array_equal(backwards, labels)
    late = times + offset * cam_ids
    shifted = tracklets().fit_predict(features, cam_ids, tracks, late)
    np.testing.assert_array_equal(shifted, labels)


INNERS = [
    INNER,
    dict(type='AutoDBSCAN'),
    dict(type='MutualNeighbors'),
    dict(type='CameraMatching'),
]


@pytest.mark.parametrize('inner', INNERS, ids=lambda inner: inner['type'])
def test_few_tracks(inner):
    features = people(np.random.default_rng(6), np.array([0] * 5 + [1] * 5))
    clusterer = CLUSTERERS.build(
        dict(type='Tracklets', clusterer=inner, split=True, whiten=True)
    )
    one = clusterer.fit_predict(features[:5], [1] * 5, [7] * 5, np.arange(5))
    assert one.tolist() == [0] * 5
    tracks = [7] * 5 + [8] * 5
    for cam_ids in ([1] * 10, [1] * 5 + [2] * 5):
        two = clusterer.fit_predict(features, cam_ids, tracks)
        assert [len(set(part)) for part in (two[:5], two[5:])] == [1, 1]
        assert (two >= 0).all()
    alone = clusterer.fit_predict(features[:1], [1], [7], [0.0])
    assert alone.tolist() in ([-1], [0])


def test_tracks_of_one_image():
    """Each is an image by itself, but two of one moment are two people."""
    rng = np.random.default_rng(9)
    features = people(rng, np.repeat(np.arange(6), 5))
    tracks, zeros = np.arange(30), np.zeros(30, int)
    plain = CLUSTERERS.build(INNER).fit_predict(features)
    labels = tracklets().fit_predict(features, zeros, tracks, np.arange(30.0))
    np.testing.assert_array_equal(labels, plain)
    moments = np.arange(30) // 2.0
    labels = tracklets().fit_predict(features, zeros, tracks, moments)
    assert (labels[::2] != labels[1::2]).all()
    none = tracklets().fit_predict(features, zeros, zeros - 1, moments)
    np.testing.assert_array_equal(none, plain)


def test_occluded_and_switched_images_do_not_spoil_the_pooled_feature():
    rng = np.random.default_rng(0)
    features = people(rng, np.array([0] * 8 + [1] * 3))
    clean = features[:8].mean(axis=0)
    clean /= np.linalg.norm(clean)
    mean = features.mean(axis=0)
    pooled = pool_tracks(features, np.zeros(11, np.int64))[0]
    assert pooled @ clean > 0.99 > mean @ clean / np.linalg.norm(mean)
    np.testing.assert_array_equal(pool_tracks(features, np.arange(11)), features)


def test_a_switch_within_a_track_is_found():
    rng = np.random.default_rng(1)
    pids = np.repeat(np.arange(20), 10)
    pids[4:10] = 21  # track 0: four images of 0, six of 21
    pids[17:20] = 22
    features = people(rng, pids)
    tracks = np.repeat(np.arange(20), 10)
    parts = split_tracks(features, tracks)
    assert sorted(np.bincount(parts)) == [3, 4, 6, 7] + [10] * 18
    assert clustering_quality(parts, pids)['purity'] == 1
    # Nothing is linked in one camera: each track is a cluster.
    clusterer = dict(type='Tracklets', clusterer=dict(type='MutualNeighbors'))
    for split, clusters in ((True, 22), (False, 20)):
        labels = CLUSTERERS.build(dict(clusterer, split=split)).fit_predict(
            features, np.zeros(200, int), tracks
        )
        assert len(np.unique(labels)) == clusters


def test_violations_are_resolved_by_likeness():
    rng = np.random.default_rng(2)
    # Two people alike, four tracks of each, two and two at the same time.
    pids = np.array([0, 1] * 4)
    features = people(rng, pids, noise=0.05)
    intervals = np.repeat(np.arange(4), 2)[:, None] * 10.0 + (0, 5)
    one = np.zeros(8, np.int64)
    labels = separate_overlapping(one, features, one, intervals, np.arange(8))
    assert same(labels, pids)
    apart = separate_overlapping(one, features, np.arange(8), intervals, np.arange(8))
    np.testing.assert_array_equal(apart, one)  # in different places
    parts = separate_overlapping(one, features, one, intervals, np.arange(8) // 2)
    np.testing.assert_array_equal(parts, one)  # of the same tracks


def test_a_large_cluster_that_overlaps():
    rng = np.random.default_rng(3)
    features = people(rng, np.zeros(2000, int), noise=0.5)
    starts = rng.uniform(0, 1000, 2000)
    intervals = np.stack([starts, starts + 2], axis=1)
    zeros = np.zeros(2000, np.int64)
    labels = separate_overlapping(zeros, features, zeros, intervals, np.arange(2000))
    assert not len(overlapping_clusters(labels, zeros, intervals, np.arange(2000)))
    alike = np.ones((600, 1), np.float32)
    labels = separate_overlapping(
        zeros[:600], alike, zeros[:600], intervals[:600], np.arange(600)
    )
    assert not len(overlapping_clusters(labels, zeros, intervals[:600], np.arange(600)))


def test_overlaps_between_far_tracks():
    """A long track overlaps with one that begins after a third has ended."""
    intervals = np.array([[0, 100], [10, 20], [50, 60], [200, 210]], float)
    labels = np.array([0, 1, 0, 0])
    zeros, own = np.zeros(4, int), np.arange(4)
    assert overlapping_clusters(labels, zeros, intervals, own).tolist() == [0]
    assert not len(overlapping_clusters(labels, own, intervals, own))
    intervals[0] = np.nan
    assert not len(overlapping_clusters(labels, zeros, intervals, own))


def test_mutual_neighbors():
    rng = np.random.default_rng(4)
    pids = np.array([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 6, 1, 2, 3, 4, 5, 7])
    cam_ids = np.repeat([1, 2, 3], 6)
    features = people(rng, pids)
    features[cam_ids == 2] += 0.5  # what is common to a camera
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    clusterer = CLUSTERERS.build(dict(type='MutualNeighbors', min_similarity=0.5))
    labels = clusterer.fit_predict(features, cam_ids)
    assert same(labels, np.where(pids < 6, pids, -1))
    # One camera: nobody to be linked with.
    assert (clusterer.fit_predict(features, np.ones(18, int)) == -1).all()
    with pytest.raises(ValueError, match=r'cam_ids.*within Tracklets'):
        clusterer.fit_predict(features)


def test_camera_matching():
    """Two people in one camera are both most like one of the other; each gets its own.

    Cosines of (a, b) with (c, d): a is nearest to c, and so is b, a little less; the
    mutual nearest are a and c, and d is left for b.
    """
    one = np.float32([[1, 0, 0], [0.8, 0, 0.6]])
    other = np.float32([[0.96, 0, 0.28], [0.6, 0.3, 0.742]])
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    cosines = one @ other.T
    assert (cosines.argmax(axis=1) == [0, 0]).all()
    matching = CLUSTERERS.build(dict(type='CameraMatching', temperature=0.1))
    assert matching.link(one, other).tolist() == [[0, 0], [1, 1]]
    mutual = CLUSTERERS.build(dict(type='MutualNeighbors'))
    assert mutual.link(one, other).tolist() != [[0, 0], [1, 1]]


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from([0.005, 0.03, 0.3]),
    st.integers(0, 99),
)
def test_nobody_is_matched_twice(size, other_size, temperature, seed):
    rng = np.random.default_rng(seed)
    one = people(rng, rng.integers(0, 5, size), dim=4)
    other = people(rng, rng.integers(0, 5, other_size), dim=4)
    clusterer = CLUSTERERS.build(dict(type='CameraMatching', temperature=temperature))
    links = clusterer.link(one, other)
    for side in links.T:
        assert len(set(side)) == len(side)
    back = clusterer.link(other, one)[:, ::-1]
    if size == other_size and temperature == 0.3:  # converged: no side comes first
        assert sorted(map(tuple, back)) == sorted(map(tuple, links))


def test_matches_of_many_people():
    rng = np.random.default_rng(7)
    pids = np.tile(rng.permutation(300), 2)
    features = people(rng, pids, noise=0.8, dim=32)
    cam_ids = np.repeat([1, 2], 300)
    scores = {}
    for name in ('MutualNeighbors', 'CameraMatching'):
        labels = CLUSTERERS.build(dict(type=name)).fit_predict(features, cam_ids)
        scores[name] = pair_f1(labels, pids)
    assert scores['CameraMatching'] > scores['MutualNeighbors'] + 0.02
    for wrong in (dict(temperature=0.0), dict(min_share=1.0)):
        with pytest.raises(ValueError, match=f'{next(iter(wrong))} must'):
            CLUSTERERS.build(dict(type='CameraMatching', **wrong))


def test_what_differs_within_tracks_is_weighed_down():
    """Ten dimensions tell people, and ten, twice as strong, the images of a track."""
    rng = np.random.default_rng(8)
    pids = np.repeat(np.arange(40), 8)
    features = np.concatenate(
        [rng.standard_normal((40, 10))[pids], 2 * rng.standard_normal((320, 10))], 1
    )
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    features = features.astype(np.float32)
    tracks = np.arange(320) // 4  # two of each person
    whitened = whiten_tracks(features, tracks)
    np.testing.assert_allclose(np.linalg.norm(whitened, axis=1), 1, atol=1e-5)
    energy = np.square(whitened).sum(axis=0)
    assert energy[:10].sum() > 1.5 * np.square(features).sum(axis=0)[:10].sum()
    f1 = [
        pair_f1(tracklets(whiten=whiten).fit_predict(features, None, tracks), pids)
        for whiten in (False, True)
    ]
    assert f1[1] > f1[0]
    alone = np.arange(320)
    np.testing.assert_array_equal(whiten_tracks(features, alone), features)


def test_two_cameras_may_number_their_tracks_alike():
    groups = number_tracks(np.array([1, 1, -1, 1]), np.array([0, 0, 0, 1]))
    assert groups.tolist() == [0, 0, 2, 1]
    with pytest.raises(ValueError, match='3 tracks do not fit 2 cameras'):
        number_tracks([1, 1, 1], [0, 0])
    with pytest.raises(ValueError, match='1 times do not fit 4 images'):
        track_intervals(groups, [1.0])
    with pytest.raises(
        ValueError, match=r"same_time must be None or in .*, got 'apart'"
    ):
        tracklets(same_time='apart')


def test_many_clusters_that_overlap():
    """60,000 tracks in 15,000 clusters of two pairs of the same time."""
    rng = np.random.default_rng(10)
    count = 60_000
    features = people(rng, rng.integers(0, 100, count), dim=4)
    labels = rng.permutation(np.arange(count) // 4)
    starts = np.empty(count)
    starts[np.argsort(labels, kind='stable')] = np.tile(
        [0.0, 0.0, 9.0, 9.0], count // 4
    )
    intervals = np.stack([starts, starts + 1], axis=1)
    zeros, own = np.zeros(count, np.int64), np.arange(count)
    apart = separate_overlapping(labels, features, zeros, intervals, own)
    assert not len(overlapping_clusters(apart, zeros, intervals, own))
    assert len(np.unique(apart)) == count // 2


def test_many_images():
    rng = np.random.default_rng(5)
    tracks = rng.integers(0, 20_000, 100_000)
    cam_ids = tracks % 5
    groups = number_tracks(tracks, cam_ids)
    times = rng.uniform(0, 1e9, 100_000)
    intervals = track_intervals(groups, times)
    assert intervals.shape == (len(np.unique(tracks)), 2)
    own = np.arange(len(intervals))
    assert not len(overlapping_clusters(own, own, intervals, own))
