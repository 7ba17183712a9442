"""Identities as labels: which classes there are, and who gives them."""

import csv

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmreid_cc.datasets import LabelledReID, RandomIdentitySampler, ReIDDataset
from mmreid_cc.datasets.identities import identity_labels

PACK = [dict(type='LoadReIDImage'), dict(type='PackInputs')]


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmreid_cc')


def test_identity_labels():
    pids = np.array([10**9, -1, 3, 10**9, 0])
    assert identity_labels(pids).tolist() == [2, -1, 1, 2, 0]
    with pytest.raises(ValueError, match='None of 2 training images shows a known'):
        identity_labels(np.array([-1, -1]))


def test_labels_reach_the_data_samples(market_root):
    dataset = LabelledReID(market_root, dict(type='ReIDDataset'), pipeline=PACK)
    assert dataset.num_classes == 8
    labels = [item['data_samples'].gt_label.item() for item in dataset]
    assert labels == np.repeat(range(8), 6).tolist()
    plain = ReIDDataset(market_root, pipeline=PACK)
    assert dataset[7]['inputs'].equal(plain[7]['inputs'])
    assert dataset[7]['data_samples'].sample_idx == 7
    assert 'gt_label' not in plain[7]['data_samples']


def test_nothing_known(market_root):
    with pytest.raises(ValueError, match='None of 48 training images'):
        LabelledReID(
            market_root, dict(type='ReIDImageFolder', train='bounding_box_train')
        )


def batches(sampler, size):
    return np.array(list(sampler)).reshape(-1, size)


def test_sampler_draws_identities(market_root):
    dataset = ReIDDataset(market_root)
    pids = dataset.column('pid')
    sampler = RandomIdentitySampler(dataset, 4, 3, 10, seed=0)
    assert len(sampler) == 4 * 3 * 10
    same_camera = 0
    for batch in batches(sampler, 12):
        groups = pids[batch].reshape(4, 3)
        assert (groups == groups[:, :1]).all()
        assert len(set(groups[:, 0])) == 4
        assert len(set(batch)) == 12
        cameras = dataset.column('cam_id')[batch].reshape(4, 3)
        same_camera += (cameras[:, 1:] == cameras[:, :1]).sum()
    assert same_camera > 0
    first = next(iter(sampler))
    assert first.seed == (0, 0, 0)  # of its augmentation


def test_sampler_across_cameras(market_root):
    dataset = ReIDDataset(market_root)
    cameras = dataset.column('cam_id')
    sampler = RandomIdentitySampler(dataset, 4, 3, 10, camera_aware=True, seed=0)
    for batch in batches(sampler, 12):
        groups = cameras[batch].reshape(4, 3)
        assert (groups[:, 1:] != groups[:, :1]).all()


def test_ranks_share_the_global_batch(market_root):
    dataset = ReIDDataset(market_root)
    whole = batches(RandomIdentitySampler(dataset, 4, 4, 5, seed=2), 16)
    shares = []
    for rank in range(2):
        sampler = RandomIdentitySampler(dataset, 4, 4, 5, seed=2)
        sampler.rank, sampler.world_size = rank, 2
        shares.append(batches(sampler, 8))
    assert np.array_equal(np.concatenate(shares, axis=1), whole)


def test_images_of_unknown_identity_are_not_drawn(market_root, tmp_path):
    crops = sorted((market_root / 'bounding_box_train').glob('*.jpg'))[:12]
    with (tmp_path / 'train.csv').open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['path', 'pid'])
        writer.writerows([crop, '' if i < 4 else i % 3] for i, crop in enumerate(crops))
    cfg = dict(type='ReIDImageFolder', train='train.csv')
    dataset = LabelledReID(tmp_path, cfg)
    assert dataset.column('gt_label').tolist()[:6] == [-1, -1, -1, -1, 1, 2]
    assert dataset.num_classes == 3
    assert set(RandomIdentitySampler(dataset, 3, 2, 20, seed=0)) == set(range(4, 12))
