"""Camera-biased data in a real Runner: what is clustered, and what is held."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from mmreid_cc.clustering import CLUSTERERS, normalize_cameras
from mmreid_cc.clustering.dbscan import DBSCAN
from mmreid_cc.engine import ClusterMemoryHook, extract_features
from mmreid_cc.engine.pseudo_labels import pseudo_labels

PROXIES = dict(type='CameraProxyMemory', cluster_weight=1.0, num_negatives=5)
MEMORIES = [PROXIES, dict(type='InstanceMemory'), dict(type='ClusterMemory')]


@CLUSTERERS.register_module()
class Witness(DBSCAN):
    """Remembers what it was given."""

    def fit_predict(self, features, neighbors=None, cam_ids=None):
        self.seen = features, cam_ids
        return super().fit_predict(features, neighbors, cam_ids)


def clusterer(**arguments):
    return dict(type='Witness', eps=0.9, min_samples=2, k1=6, k2=2, **arguments)


def scalars(config):
    file = next(Path(config.work_dir).glob('*/vis_data/scalars.json'))
    return [json.loads(line) for line in file.read_text().splitlines()]


def hook_of(runner):
    return next(h for h in runner.hooks if isinstance(h, ClusterMemoryHook))


@pytest.mark.parametrize('normalization', ['mean', 'standardize'])
def test_only_the_clusterer_sees_normalized_features(tiny_config, normalization):
    tiny_config.default_hooks.cluster_memory.update(
        clusterer=clusterer(), camera_normalization=normalization
    )
    runner = Runner.from_cfg(tiny_config)
    hook = hook_of(runner)
    runner.call_hook('before_run')
    runner.train_loop  # noqa: B018  # built where it is first read
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    features = extract_features(runner.model, hook.dataloader)
    cam_ids = hook.dataloader.dataset.column('cam_id')
    expected = normalize_cameras(
        features, cam_ids, standardize=normalization == 'standardize'
    )
    np.testing.assert_array_equal(hook.clusterer.seen[0], expected)
    memory = runner.model.head.memory
    for label, centroid in enumerate(memory.centroids):
        mean = features[memory.labels == label].mean(dim=0)
        torch.testing.assert_close(centroid, mean / mean.norm())


@pytest.mark.parametrize('memory', MEMORIES, ids=lambda memory: memory['type'])
def test_trains_with_cameras(tiny_config, memory):
    tiny_config.model.head.memory = memory
    cameras = dict(k1_intra=3, k1_inter=4, k2_intra=1, k2_inter=2)
    tiny_config.default_hooks.cluster_memory.update(
        clusterer=clusterer(cameras=cameras), camera_normalization='mean'
    )
    runner = Runner.from_cfg(tiny_config)
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    cam_ids = hook_of(runner).clusterer.seen[1]
    assert cam_ids.tolist() == runner.train_dataloader.dataset.column('cam_id').tolist()
    moved = [k for k, v in runner.model.named_parameters() if (v != before[k]).any()]
    assert 'backbone.0.weight' in moved
    logged = [line for line in scalars(tiny_config) if 'cluster/clusters' in line]
    held = runner.model.head.memory.nbytes
    assert logged[-1]['cluster/memory_bytes'] == held > 0


@pytest.mark.parametrize('memory', MEMORIES[:2], ids=lambda memory: memory['type'])
def test_resumes_inside_an_epoch(tiny_config, memory):
    tiny_config.model.head.memory = memory
    tiny_config.default_hooks.checkpoint.update(
        by_epoch=False, interval=1, save_best=None, max_keep_ckpts=-1
    )
    whole = Runner.from_cfg(tiny_config)
    whole.train()
    tiny_config.load_from = str(Path(tiny_config.work_dir) / 'iter_5.pth')
    tiny_config.resume = True
    tiny_config.experiment_name += '_resumed'
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    for name, value in whole.model.state_dict().items():
        assert torch.equal(runner.model.state_dict()[name], value), name
    found, expected = (r.model.head.memory.snapshot() for r in (runner, whole))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_one_camera(tiny_config):
    """Proxies are clusters; there are no neighbours in other cameras."""
    tiny_config.model.head.memory = PROXIES
    tiny_config.train_dataloader.dataset.indices = [0, 1, 2, 6, 7, 8, 12, 13, 14]
    tiny_config.default_hooks.cluster_memory.clusterer = clusterer()
    runner = Runner.from_cfg(tiny_config)
    assert len(set(runner.train_dataloader.dataset.column('cam_id'))) == 1
    runner.train()
    banks = runner.model.head.memory.banks
    assert banks['proxies'].vectors.shape == banks['clusters'].vectors.shape
    tiny_config.default_hooks.cluster_memory.clusterer = clusterer(cameras={})
    tiny_config.experiment_name += '_by_camera'
    with pytest.raises(ValueError, match=r'All 9 images are of the camera 1'):
        Runner.from_cfg(tiny_config).train()


def test_crops_without_cameras(tiny_config, market_root):
    tiny_config.model.head.memory = PROXIES
    tiny_config.default_hooks.cluster_memory.camera_normalization = 'mean'
    tiny_config.train_dataloader.dataset = dict(
        type='ReIDImageFolder',
        data_root=str(market_root),
        train='bounding_box_train',
        pipeline=tiny_config.train_dataloader.dataset.pipeline,
    )
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    assert set(runner.model.head.memory.cam_ids.tolist()) == {0}
    assert runner.iter == 6


def test_collapsed_features_are_still_reported_as_such():
    """The spread in the message is that of the features as they are."""
    features = torch.eye(4)[:1].repeat(6, 1)
    with pytest.raises(RuntimeError, match=r'0 cluster\(s\).*spread of 0\.0000'):
        pseudo_labels(
            features,
            CLUSTERERS.build(dict(type='DBSCAN', min_samples=9)),
            torch.tensor([1, 1, 1, 2, 2, 2]),
            'mean',
        )


def test_unknown_normalization():
    with pytest.raises(ValueError, match=r"camera_normalization must be .*, not 'max'"):
        ClusterMemoryHook(dict(type='DBSCAN'), camera_normalization='max')
