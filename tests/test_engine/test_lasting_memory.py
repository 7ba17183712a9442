"""A memory that lasts from epoch to epoch, and a source with labels beside a target."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from test_resuming import checksum, run

from mmreid_cc.engine.hooks import cluster_memory_hook


@pytest.fixture
def spcl_config(tiny_config):
    """SpCL on the images of ``tiny_config``."""
    tiny_config.model.head.memory = dict(type='HybridMemory')
    tiny_config.train_dataloader.sampler.type = 'HybridSampler'
    clusterer = dict(type='SelfPacedDBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
    tiny_config.default_hooks.cluster_memory.clusterer = clusterer
    return tiny_config


@pytest.mark.parametrize('stop', [6, 7])
def test_resumed_inside_and_between_epochs(spcl_config, stop):
    spcl_config.train_cfg.max_epochs = 4
    spcl_config.default_hooks.checkpoint.update(by_epoch=False, save_best=None)
    whole, last = run(spcl_config, 'whole')
    _, saved = run(spcl_config, f'parts_{stop}', stop=stop)
    held = torch.load(saved, weights_only=False)['cluster_memory']
    assert set(held) == {'iteration', 'memory', 'images', 'clusterer'}
    runner, resumed = run(spcl_config, f'parts_{stop}', resume=True)
    assert checksum(resumed) == checksum(last)
    vectors = [each.model.head.memory.centroids for each in (runner, whole)]
    assert torch.equal(*vectors)


def test_images_are_embedded_once(spcl_config, monkeypatch):
    calls = []
    plain = cluster_memory_hook.extract_features
    monkeypatch.setattr(
        cluster_memory_hook,
        'extract_features',
        lambda *arguments: calls.append(1) or plain(*arguments),
    )
    Runner.from_cfg(spcl_config).train()
    assert len(calls) == 1


class Losses(Hook):
    """Keep the losses."""

    def __init__(self):
        self.losses = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(outputs['loss'].item())


def test_an_epoch_without_clusters(spcl_config):
    """All images are then by themselves."""
    spcl_config.default_hooks.cluster_memory.clusterer.update(
        eps=0.03, min_samples=40, k1=30, k2=6
    )
    runner = Runner.from_cfg(spcl_config)
    losses = Losses()
    runner.register_hook(losses)
    runner.train()
    memory = runner.model.head.memory
    assert (memory.labels == -1).all()
    assert len(memory.sizes) == 48
    assert np.isfinite(losses.losses).all()


@pytest.mark.parametrize('memory', ['HybridMemory', 'ClusterMemory'])
def test_a_source_with_labels(spcl_config, market_root, memory):
    """Its identities are classes behind the clusters of the target."""
    spcl_config.model.head.memory = dict(type=memory)
    part = dict(type='ReIDDataset', data_root='')
    for loader in (spcl_config.train_dataloader, spcl_config.test_dataloader):
        split, pipeline = loader.dataset.split, loader.dataset.pipeline
        loader.dataset = dict(
            type='AdaptationReID',
            data_root=str(market_root),
            target=part,
            sources=dict(source=part),
            split=split,
            pipeline=pipeline,
        )
    spcl_config.val_dataloader = copy.deepcopy(spcl_config.test_dataloader)
    clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
    spcl_config.default_hooks.cluster_memory.clusterer = clusterer
    runner = Runner.from_cfg(spcl_config)
    runner.train()
    labels = runner.model.head.memory.labels
    clusters = int(labels[:48].max()) + 1
    classes = runner.train_dataloader.dataset.column('source_class')[48:]
    assert labels[48:].tolist() == (clusters + classes).tolist()
    file = next(Path(spcl_config.work_dir).glob('*/vis_data/scalars.json'))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    reported = [row['cluster/clusters'] for row in rows if 'cluster/clusters' in row]
    assert reported[-1] == clusters  # the report is of the target alone
    assert 0 < runner.message_hub.get_scalar('val/reid/mAP').current() <= 100


def test_labels_to_begin_with_and_a_source(spcl_config, market_root, tmp_path):
    part = dict(type='ReIDDataset', data_root=str(market_root))
    dataset = spcl_config.train_dataloader.dataset
    spcl_config.train_dataloader.dataset = dict(
        type='AdaptationReID',
        target=part,
        sources=dict(source=part),
        split='train',
        pipeline=dataset.pipeline,
    )
    hook = spcl_config.default_hooks.cluster_memory
    hook.initial_labels = str(tmp_path / 'labels.csv')
    with pytest.raises(ValueError, match='`initial_labels` cannot be combined with'):
        Runner.from_cfg(spcl_config).train()
