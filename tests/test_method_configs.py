"""The configs of other methods: they train, and hold the numbers of their papers."""

import os

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import Runner
from test_configs import data_root, make_narrow, without_downloads  # noqa: F401

from mmreid_cc.engine.config_check import check_config

MODALITIES = 'adca', 'pgm'  # on SYSU-MM01, not on Market-1501
METHODS = 'cap', 'ice', 'ise', 'mmt', 'mt', 'pplr', 'spcl', *MODALITIES
NAMES = sorted(
    path.stem
    for path in (ROOT / 'configs').glob('*.py')
    if path.stem.removeprefix('uda_').split('_')[0] in METHODS
)
TRAINED = [name for name in NAMES if '_r50_' in name]


def read(name):
    return Config.fromfile(ROOT / 'configs' / f'{name}.py')


def test_all_methods_have_their_configs():
    recipes = {name.removeprefix('uda_').split('_')[0] for name in TRAINED}
    drawn = {name.split('_')[0] for name in NAMES if name.endswith('_synthetic')}
    crops = {name.split('_')[0] for name in NAMES if name.endswith('_cuhk03')}
    assert recipes == drawn == crops | set(MODALITIES) == set(METHODS)


@pytest.mark.parametrize('name', NAMES)
def test_config_fits(name):
    check_config(read(name))


@pytest.mark.parametrize('name', TRAINED)
def test_recipe_trains(name, data_root, tmp_path):  # noqa: F811
    """An iteration and a test, at the size of the images and an eighth of the width."""
    config = read(name)
    if 'networks' in config.model.backbone:
        for network in config.model.backbone.networks:
            network.update(stem_channels=8, base_channels=8, init_cfg=None)
        config.model.head.in_channels //= 8
    else:
        without_downloads(config)
        make_narrow(config)
    config.work_dir = str(tmp_path)
    config.experiment_name = f'{name}_{os.getpid()}'
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.update(num_workers=0, persistent_workers=False, pin_memory=False)
        loader.batch_size = 4
        loader.dataset.data_root = str(data_root)
        if loader.dataset.type == 'AdaptationReID':
            part = dict(type='ReIDDataset', data_root='')
            loader.dataset.target, loader.dataset.sources = part, dict(source=part)
        if loader.dataset.type == 'SYSUMM01':
            loader.dataset.type = 'ReIDDataset'
            loader.dataset.pop('search', None)
    config.test_dataloader = config.val_dataloader
    config.train_dataloader.sampler.update(
        num_clusters=2, num_instances=2, iters_per_epoch=1
    )
    if name.startswith(MODALITIES):
        cameras = dict(infrared_cameras=(2,))
        config.train_dataloader.sampler.update(cameras)
        config.model.head.memory.update(cameras, start=0)
        config.val_evaluator = config.test_evaluator = dict(type='ReIDMetric')
    clusterer = dict(type='KMeans', n_clusters=2)
    config.default_hooks.cluster_memory.clusterer = clusterer
    config.default_hooks.batch_norm_groups.samples_per_bn = 4
    config.default_hooks.checkpoint = None
    config.train_cfg.update(max_epochs=1, val_interval=1)
    runner = Runner.from_cfg(config)
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    moved = [k for k, v in runner.model.named_parameters() if not v.equal(before[k])]
    assert next(k for k in before if k.startswith('backbone')) in moved
    assert 0 < runner.message_hub.get_scalar('val/reid/mAP').current() <= 100


@pytest.mark.parametrize(
    ('name', 'batch', 'iterations', 'epochs', 'clusterer', 'group'),
    [
        ('adca_r50_sysumm01', (16, 16), 200, 100, dict(eps=0.6, k1=30, k2=6), 128),
        ('pgm_r50_sysumm01', (16, 16), 200, 100, dict(eps=0.6, k1=30, k2=6), 128),
        ('cap_r50_market', (8, 4), 400, 50, dict(eps=0.5, k1=20, k2=6), 32),
        ('ice_r50_market', (8, 4), 400, 40, dict(eps=0.55, k1=30, k2=6), 32),
        ('ise_r50_market', (16, 16), 400, 70, dict(eps=0.4, k1=30, k2=6), 64),
        ('pplr_r50_market', (16, 4), 400, 50, dict(eps=0.5, k1=30, k2=6), 16),
        ('spcl_r50_market', (16, 4), 400, 50, dict(eps=0.6, eps_gap=0.02), 16),
        ('uda_spcl_r50_msmt2market', (32, 4), 400, 50, dict(eps=0.6, eps_gap=0.02), 16),
        ('uda_mmt_r50_duke2market', (16, 4), 800, 40, dict(n_clusters=500), 16),
    ],
)
def test_recipe_is_the_papers(name, batch, iterations, epochs, clusterer, group):
    """The numbers of the papers and their public codes."""
    config = read(name)
    sampler = config.train_dataloader.sampler
    assert (sampler.num_clusters, sampler.num_instances) == batch
    assert config.train_dataloader.batch_size == batch[0] * batch[1]
    assert sampler.iters_per_epoch == iterations
    assert config.train_cfg.max_epochs == epochs
    found = config.default_hooks.cluster_memory.clusterer
    two = found.type == 'ByModality'
    found = found.clusterer if two else found
    assert {key: found[key] for key in clusterer} == clusterer
    assert config.default_hooks.batch_norm_groups.samples_per_bn == group
    parts = name.startswith('pplr')
    neck = 'PartPooling' if parts else 'GlobalAveragePooling'
    neck = 'GeneralizedMeanPooling' if two else neck
    assert config.model.neck.type == neck
    optimizer = config.optim_wrapper.optimizer
    assert optimizer.type == 'Adam'
    assert (optimizer.lr, optimizer.weight_decay) == (3.5e-4, 5e-4)


@pytest.mark.parametrize(
    ('name', 'memory'),
    [
        ('adca', dict(type='AggregatedMemory', momentum=0.1)),
        ('pgm', dict(type='GraphMatchedMemory', momentum=0.2, update='hard')),
    ],
)
def test_recipe_of_two_modalities(name, memory):
    """Two stages of 50 epochs, 288 × 144, plain images and those of one channel."""
    config = read(f'{name}_r50_sysumm01')
    cameras = dict(infrared_cameras=(3, 6))
    assert dict(config.model.head.memory) == {**memory, **cameras}
    assert config.train_dataloader.sampler.infrared_cameras == (3, 6)
    assert config.default_hooks.cluster_memory.clusterer.infrared_cameras == (3, 6)
    _, resize, views, _ = config.train_dataloader.dataset.pipeline
    assert tuple(resize.scale) == (144, 288)
    plain, one_channel = ([t.type for t in view] for view in views.transforms)
    assert 'ChannelAugmentation' not in plain
    assert one_channel[-1] == 'ChannelAugmentation'
    assert ('ColorJitter' in one_channel) == (name == 'pgm')
    config.optim_wrapper.optimizer.pop('fused')
    weights = torch.nn.Linear(1, 1).parameters()
    config.optim_wrapper.optimizer.pop('type')
    optimizer = torch.optim.Adam(weights, **config.optim_wrapper.optimizer)
    schedulers = [
        PARAM_SCHEDULERS.build(dict(cfg, optimizer=optimizer))
        for cfg in config.param_scheduler
    ]
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]['lr'] / 3.5e-4)
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    stage = [1.0] * 20 + [0.1] * 20 + [0.01] * 10
    assert rates == pytest.approx(stage * 2)
