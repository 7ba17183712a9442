"""Every batch is P clusters × K images, across cameras where there are some."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmreid_cc.datasets import (
    HybridSampler,
    ModalityBalancedSampler,
    ProxyBalancedSampler,
    RandomMultipleGallerySampler,
)


class Images:
    """A data set as far as the sampler knows it: images with cameras and tracks."""

    def __init__(self, cam_ids, tracks=None):
        self.cam_ids = np.asarray(cam_ids)
        self.tracks = np.full(len(self.cam_ids), -1) if tracks is None else tracks

    def __len__(self):
        return len(self.cam_ids)

    def column(self, key):
        return {'cam_id': self.cam_ids, 'track': self.tracks}[key]


def make(labels, cam_ids, p=2, k=4, iters=10, tracks=None, **arguments):
    images = Images(cam_ids, tracks)
    sampler = RandomMultipleGallerySampler(images, p, k, iters, **arguments)
    sampler.set_labels(np.asarray(labels))
    return sampler


def batches(sampler, size):
    return np.array(list(sampler)).reshape(-1, size)


RNG = np.random.default_rng(0)
LABELS = RNG.integers(-1, 12, 300)
CAMERAS = RNG.integers(1, 5, 300)


def test_batches():
    sampler = make(LABELS, CAMERAS, p=4, k=4, iters=25, seed=1)
    assert len(sampler) == 4 * 4 * 25
    for batch in batches(sampler, 16):
        groups = LABELS[batch].reshape(4, 4)
        assert (groups >= 0).all()
        assert (groups == groups[:, :1]).all()
        assert len(set(groups[:, 0])) == 4  # P different clusters
        cameras = CAMERAS[batch].reshape(4, 4)
        assert (cameras[:, 1:] != cameras[:, :1]).all()
        assert all(len(set(group)) == 4 for group in batch.reshape(4, 4))


def test_clusters_come_from_permutations():
    """12 clusters, P = 5: a pass gives two batches and drops two clusters."""
    sampler = make(np.repeat(range(12), 10), np.arange(120) % 3, p=5, k=2, iters=20)
    drawn = (batches(sampler, 10)[:, ::2] // 10).reshape(-1, 10)
    assert all(len(set(row)) == 10 for row in drawn)
    assert set(drawn.flat) == set(range(12))


def test_seed_and_epoch_decide():
    def draw(seed, epoch):
        sampler = make(LABELS, CAMERAS, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert draw(0, 3) == draw(0, 3)
    assert draw(0, 3) != draw(0, 4)
    assert draw(0, 3) != draw(1, 3)


def test_ranks_share_the_global_batch(monkeypatch):
    whole = batches(make(LABELS, CAMERAS, p=4, k=4, seed=2), 16)
    parts = []
    for rank in range(4):
        monkeypatch.setattr(
            'mmreid_cc.datasets.samplers.random_multiple_gallery.get_dist_info',
            lambda rank=rank: (rank, 4),
        )
        sampler = make(LABELS, CAMERAS, p=4, k=4, seed=2)
        assert len(sampler) == 4 * 4 * 10 // 4
        parts.append(batches(sampler, 4))
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
    with pytest.raises(ValueError, match='3 clusters × 3 images cannot be shared by 4'):
        make(LABELS, CAMERAS, p=3, k=3)
    with pytest.raises(ValueError, match='num_instances must be an integer of at leas'):
        make(LABELS, CAMERAS, p=4, k=0)


def test_one_camera():
    labels = np.repeat(range(3), 10)
    for batch in batches(make(labels, np.ones(30), p=2, k=4), 8):
        assert all(len(set(group)) == 4 for group in batch.reshape(2, 4))


def test_camera_aware_or_not():
    """One image of camera 1, nine of camera 2: from there only the first is across."""
    labels, cameras = np.zeros(10, int), [1] + 9 * [2]
    aware = batches(make(labels, cameras, p=1, k=4, iters=200, seed=0), 4)
    assert all((group == 0).sum() in (1, 3) for group in aware)
    unaware = make(labels, cameras, p=1, k=4, iters=200, seed=0, camera_aware=False)
    groups = batches(unaware, 4)
    assert all(len(set(group)) == 4 for group in groups)
    assert any((group == 0).sum() == 0 for group in groups)


def test_one_image_of_each_track_first():
    """Two clusters, each of four tracks of 2, 10, 10 and 10 images in one camera."""
    labels = np.repeat([0, 1], 32)
    tracks = np.tile(np.repeat([1, 2, 3, 4], [2, 10, 10, 10]), 2) + 4 * labels
    sampler = make(
        labels, np.ones(64, int), 2, 4, 100, tracks, seed=0, track_aware=True
    )
    drawn = batches(sampler, 8).reshape(-1, 4)
    assert all(len(set(tracks[group])) == 4 for group in drawn)
    assert len(np.unique(drawn)) == 64  # every image has its turn
    sampler = make(labels, np.ones(64, int), 2, 6, 50, tracks, seed=0, track_aware=True)
    for group in batches(sampler, 12).reshape(-1, 6):
        assert len(set(group)) == 6
        assert sorted(Counter(tracks[group].tolist()).values()) == [1, 1, 2, 2]


def test_other_cameras_come_before_other_tracks():
    """Two tracks in camera 1, three in camera 2; tracks 1 and 2 are in both."""
    cameras = np.repeat([1, 2], 15)
    tracks = np.r_[np.repeat([1, 2], [7, 8]), np.repeat([1, 2, 3], 5)]
    sampler = make(
        np.zeros(30, int), cameras, 1, 4, 100, tracks, seed=0, track_aware=True
    )
    for first, *others in batches(sampler, 4):
        assert (cameras[others] != cameras[first]).all()
        most = Counter(tracks[others].tolist()).most_common()[0][1]
        assert most == (1 if cameras[first] == 1 else 2)


def test_small_clusters_are_drawn_with_replacement():
    batch = batches(make([0, 0, 1], [1, 2, 1], p=2, k=4, iters=1), 8)[0]
    pairs = [group for group in batch.reshape(2, 4) if 2 not in group]
    assert Counter(pairs[0].tolist()).most_common()[0][1] == 3
    assert [2, 2, 2, 2] in batch.reshape(2, 4).tolist()


def test_fewer_clusters_than_p():
    sampler = make(np.repeat(range(2), 6), np.arange(12) % 2, p=5, k=2, iters=4)
    assert len(list(sampler)) == len(sampler) == 5 * 2 * 4
    for batch in batches(sampler, 10):
        counts = Counter((batch[::2] // 6).tolist())
        assert sorted(counts.values()) in ([2, 3], [1, 4])


def test_labels_may_have_gaps():
    assert set(make([5, 5, -1, 9, 9], [1, 2, 1, 1, 2])) == {0, 1, 3, 4}


def test_errors():
    sampler = RandomMultipleGallerySampler(Images([1, 2]), 1, 1, 1)
    with pytest.raises(RuntimeError, match='ClusterMemoryHook'):
        next(iter(sampler))
    with pytest.raises(ValueError, match=r'2 images, got an array of shape \(3,\)'):
        sampler.set_labels(np.zeros(3, int))
    sampler.set_labels(np.array([-1, -1]))
    with pytest.raises(RuntimeError, match='no clusters'):
        next(iter(sampler))


@st.composite
def draws(draw):
    """Any labels, cameras and batch, shared by any number of processes that can."""
    size = draw(st.integers(1, 60))
    labels = draw(st.lists(st.integers(-1, 7), min_size=size, max_size=size))
    labels[draw(st.integers(0, size - 1))] = draw(st.integers(0, 7))
    cameras = draw(st.lists(st.integers(1, 3), min_size=size, max_size=size))
    p, k = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    ranks = draw(st.sampled_from([n for n in range(1, 9) if p * k % n == 0]))
    seed, epoch = draw(st.integers(0, 2**31)), draw(st.integers(0, 50))
    return np.array(labels), np.array(cameras), p, k, ranks, seed, epoch


class TestProperties:
    def global_batches(self, labels, cameras, p, k, seed, epoch):
        sampler = make(labels, cameras, p, k, iters=4, seed=seed)
        sampler.set_epoch(epoch)
        return np.array(list(sampler)).reshape(-1, p, k)

    @settings(deadline=None, max_examples=200)
    @given(draws())
    def test_every_batch_is_p_clusters_of_k_images_across_cameras(self, drawn):
        labels, cameras, p, k, _, seed, epoch = drawn
        num_clusters = len(set(labels[labels >= 0]))
        drawn_batches = self.global_batches(labels, cameras, p, k, seed, epoch)
        assert len(drawn_batches) == 4
        for batch in drawn_batches:
            clusters = labels[batch]
            assert (clusters >= 0).all()
            assert (clusters == clusters[:, :1]).all()
            most = Counter(clusters[:, 0]).most_common()[0][1]
            assert most <= -(-p // num_clusters)  # once, if there are enough
            for first, *others in batch:
                members = np.flatnonzero(labels == labels[first])
                candidates = set(members[cameras[members] != cameras[first]])
                candidates = candidates or set(members) - {first} or {first}
                assert set(others) <= candidates
                if len(candidates) >= k:  # else with replacement, as the reference
                    assert len(set(others)) == k - 1

    @settings(deadline=None, max_examples=100)
    @given(draws())
    def test_ranks_are_disjoint_and_together_the_global_batch(self, drawn):
        labels, cameras, p, k, ranks, seed, epoch = drawn
        whole = self.global_batches(labels, cameras, p, k, seed, epoch).reshape(4, -1)
        shares, positions = [], []
        for rank in range(ranks):
            sampler = make(labels, cameras, p, k, iters=4, seed=seed)
            sampler.rank, sampler.world_size = rank, ranks
            sampler.set_epoch(epoch)
            drawn_here = list(sampler)
            assert len(drawn_here) == len(sampler) == 4 * p * k // ranks
            shares.append(np.array(drawn_here).reshape(4, -1))
            positions += [index.seed for index in drawn_here]
        assert np.array_equal(np.concatenate(shares, axis=1), whole)
        # No draw of the epoch is made by two ranks, and none by nobody.
        assert sorted(positions) == [(seed, epoch, i) for i in range(whole.size)]


@pytest.mark.parametrize(
    ('sizes', 'shared'),
    [
        ([20] * 30, (4, 16)),  # as given
        ([3] * 100, (16, 4)),  # few images of each
        ([3] * 10, (8, 8)),  # and few clusters
        ([2] * 100, (32, 2)),
        ([50] * 3, (2, 32)),  # fewer clusters than P
        ([5], (1, 64)),
    ],
)
def test_a_batch_is_shared_out_anew(sizes, shared):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    sampler = make(labels, np.zeros_like(labels), 4, 16, adapt_instances=True)
    assert (sampler.num_clusters, sampler.num_instances) == shared
    assert len(sampler) == 10 * 64
    for batch in labels[batches(sampler, 64)]:
        assert len(set(batch)) == shared[0]
    sampler.set_labels(np.zeros(len(labels), dtype=int))
    assert (sampler.num_clusters, sampler.num_instances) == (1, 64)


def hybrid(labels, cam_ids, p, k, of_source=None, **arguments):
    sampler = HybridSampler(Images(cam_ids), p, k, **arguments)
    if of_source is not None:
        sampler.of_source = of_source
    sampler.set_labels(labels)
    return sampler


def test_unclustered_images_take_one_place():
    """In a pass every cluster is drawn once, K images of it, and every other image."""
    sampler = hybrid(LABELS, CAMERAS, 4, 4, iters_per_epoch=40, seed=1)
    assert len(list(sampler)) == len(sampler) == 4 * 4 * 40
    alone = np.flatnonzero(LABELS < 0)
    places = 12 * 4 + len(alone)
    drawn = np.array(list(sampler))[:places]
    assert Counter(LABELS[drawn][LABELS[drawn] >= 0]) == dict.fromkeys(range(12), 4)
    assert sorted(drawn[LABELS[drawn] < 0]) == alone.tolist()
    again = np.array(list(sampler))[places : 2 * places]
    assert sorted(again[LABELS[again] < 0]) == alone.tolist()
    assert again.tolist() != drawn.tolist()


def test_all_images_unclustered():
    sampler = hybrid(np.full(20, -1), np.zeros(20), 2, 4, iters_per_epoch=5, seed=0)
    drawn = np.array(list(sampler))
    assert sorted(drawn[:20]) == sorted(drawn[20:]) == list(range(20))


def test_half_of_a_batch_is_of_the_source():
    of_source = np.arange(300) >= 200
    labels = np.where(of_source, 12 + np.arange(300) % 7, LABELS)
    sampler = hybrid(labels, CAMERAS, 8, 4, of_source, iters_per_epoch=30, seed=0)
    for batch in batches(sampler, 32):
        assert not of_source[batch[:16]].any()
        assert of_source[batch[16:]].all()
        assert (labels[batch[16:]].reshape(4, 4).std(axis=1) == 0).all()


def test_hybrid_batches_are_shared_and_skipped():
    whole = hybrid(LABELS, CAMERAS, 4, 4, iters_per_epoch=6, seed=2)
    expected = batches(whole, 16)
    for rank in range(2):
        share = hybrid(LABELS, CAMERAS, 4, 4, iters_per_epoch=6, seed=2)
        share.rank, share.world_size = rank, 2
        half = expected[:, 8 * rank : 8 * rank + 8]
        assert (batches(share, 8) == half).all()
    whole.skip(4)
    assert (batches(whole, 16) == expected[4:]).all()


def test_hybrid_batch_without_halves():
    images = Images(np.zeros(6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            'mmreid_cc.datasets.samplers.hybrid.source_classes',
            lambda dataset: np.arange(6) - 3,
        )
        with pytest.raises(ValueError, match='3 × 3 images cannot be divided'):
            HybridSampler(images, 3, 3, 1)


def test_batches_of_proxies():
    """Clusters come as often as cameras see them, each proxy with K images."""
    sampler = ProxyBalancedSampler(Images(CAMERAS), 4, 3, iters_per_epoch=60, seed=0)
    sampler.set_labels(LABELS)
    proxies = {(LABELS[i], CAMERAS[i]) for i in np.flatnonzero(LABELS >= 0)}
    assert len(sampler.clusters) == len(proxies)
    drawn = []
    for batch in batches(sampler, 12):
        pairs = [(LABELS[i], CAMERAS[i]) for i in batch]
        assert pairs[::3] == pairs[1::3] == pairs[2::3]
        drawn += pairs[::3]
    assert set(drawn) == proxies
    in_a_pass = len(proxies) // 4 * 4
    assert len(set(drawn[:in_a_pass])) == in_a_pass


def modality_sampler(labels, cameras, p=4, k=3, **arguments):
    images = Images(cameras)
    sampler = ModalityBalancedSampler(images, (3, 4), p, k, 20, seed=1, **arguments)
    sampler.set_labels(np.asarray(labels))
    return sampler


def test_modalities_take_turns():
    sampler = modality_sampler(LABELS, CAMERAS)
    seen = []
    for batch in batches(sampler, 12):
        for turn, images in enumerate(batch.reshape(4, 3)):
            assert len(set(LABELS[images])) == 1 <= LABELS[images[0]] + 1
            assert set(CAMERAS[images] > 2) == {turn % 2 == 1}
            own = (LABELS[images[0]] == LABELS) & ((CAMERAS > 2) == (turn % 2 == 1))
            if len(set(CAMERAS[own])) > 1:
                assert CAMERAS[images[0]] not in CAMERAS[images[1:]]
        seen.append(LABELS[batch[::3]])
    # What both modalities have of a cluster is one cluster of each, drawn in turn.
    for turn in (0, 1):
        drawn = Counter(np.array(seen)[:, turn::2].flatten().tolist())
        assert max(drawn.values()) - min(drawn.values()) <= 1
    again = modality_sampler(LABELS, CAMERAS)
    assert list(again) == list(modality_sampler(LABELS, CAMERAS))


def test_ranks_share_a_batch_of_both_modalities(monkeypatch):
    whole = batches(modality_sampler(LABELS, CAMERAS), 12)
    for rank in range(2):
        monkeypatch.setattr(
            'mmreid_cc.datasets.samplers.random_multiple_gallery.get_dist_info',
            lambda rank=rank: (rank, 2),
        )
        share = batches(modality_sampler(LABELS, CAMERAS), 6)
        np.testing.assert_array_equal(share, whole[:, 6 * rank : 6 * rank + 6])


@pytest.mark.parametrize('infrared', [False, True])
def test_a_modality_that_is_all_noise(infrared):
    side = (CAMERAS > 2) == infrared
    sampler = modality_sampler(np.where(side, -1, LABELS), CAMERAS)
    drawn = batches(sampler, 12)
    assert not side[drawn].any()
    assert all(len(set(LABELS[batch])) == 4 for batch in drawn)
    sampler.set_labels(np.where(side, 0, LABELS))  # one cluster
    assert side[batches(sampler, 12)].mean() == 0.5
    with pytest.raises(RuntimeError, match='no clusters to draw from'):
        next(iter(modality_sampler(np.full(300, -1), CAMERAS)))


def test_errors_of_the_sampler_of_modalities():
    with pytest.raises(
        ValueError, match=r'5 clusters cannot be divided equally.*num_clusters'
    ):
        modality_sampler(LABELS, CAMERAS, p=5)
    with pytest.raises(ValueError, match='There is no infrared image'):
        modality_sampler(LABELS, np.ones(300, dtype=int))
