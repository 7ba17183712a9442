"""Every config builds, and takes one training step and a test at its image size."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, write_crop
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmreid_cc.clustering import BaseClusterer
from mmreid_cc.engine import ClusterMemoryHook
from mmreid_cc.registry import MODELS

# Those for own crops have no test set: test_own_configs.py.
PATHS = sorted((ROOT / 'configs').glob('cc_*.py'))
CONFIGS = [path for path in PATHS if '_own' not in path.stem]
# One config of each network that is trained in a smaller size than it has.
NETWORKS = 'r50', 'r50ibn', 'vit-small', 'vit-small-ics', 'pass-small', 'solider-tiny'
RECIPES = {path.stem: path for path in CONFIGS if path.stem.startswith('cc_r50_')}


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    """Few images under the folder names of every data set."""
    root = tmp_path_factory.mktemp('data')
    for pid in range(4):
        for cam in (1, 2):
            parts = [(0, 'bounding_box_train')]
            if pid < 2:
                parts = [(0, 'query'), (1, 'bounding_box_test')]
            for shot, folder in parts:
                name = f'{pid + 1:04d}_c{cam}s1_{shot:06d}_00.jpg'
                write_crop(root / folder / name, pid, shot, size=(128, 64))
    for veri, market in (
        ('image_train', 'bounding_box_train'),
        ('image_query', 'query'),
        ('image_test', 'bounding_box_test'),
    ):
        (root / veri).symlink_to(root / market)
    return root


class Halves(BaseClusterer):
    """Two clusters: the first half of the images, and the second."""

    def cluster(self, features: np.ndarray) -> np.ndarray:
        return np.arange(len(features)) * 2 // len(features)


def without_downloads(config: Config) -> None:
    if 'init_cfg' in config.model.backbone:
        config.model.backbone.init_cfg = None


def make_narrow(config: Config) -> None:
    """Take an eighth of a ResNet's channels."""
    config.model.backbone.update(stem_channels=8, base_channels=8)
    config.model.head.in_channels //= 8


def make_small(config: Config) -> None:
    """Take an eighth of the channels, and of transformers a layer or two."""
    backbone = config.model.backbone
    if backbone.type.startswith('ResNet'):
        make_narrow(config)
        return
    backbone.arch = dict(
        embed_dims=48, num_layers=2, num_heads=2, feedforward_channels=96
    )
    if backbone.type == 'SOLIDERSwin':
        backbone.arch = dict(embed_dims=12, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2])
    config.model.head.in_channels //= 8


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_config(path: Path, data_root: Path, tmp_path: Path):
    config = Config.fromfile(path)
    without_downloads(config)
    if any(f'_{network}' in path.stem for network in NETWORKS):
        make_small(config)
    config.work_dir = str(tmp_path)
    config.experiment_name = f'{path.stem}_{os.getpid()}'
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.update(num_workers=0, persistent_workers=False, pin_memory=False)
        loader.dataset.data_root = str(data_root)
        if loader.dataset.type == 'SyntheticReID':
            people = dict(train_identities=2, test_identities=2, cameras=2, shots=2)
            loader.dataset.update(data_root=str(tmp_path / 'synthetic'), **people)
        if loader.dataset.type == 'SyntheticScene':
            few = dict(people=3, cameras=2, seconds=8, fps=2)
            loader.dataset.update(data_root=str(tmp_path / 'scene'), **few)
    config.test_dataloader = config.val_dataloader
    config.val_dataloader.batch_size = 4
    config.train_dataloader.batch_size = 4
    config.train_dataloader.sampler.update(
        num_clusters=2, num_instances=2, iters_per_epoch=1
    )
    config.train_cfg.update(max_epochs=1, val_interval=1)
    config.default_hooks.checkpoint = None
    config.custom_hooks = []

    runner = Runner.from_cfg(config)
    (hook,) = (h for h in runner.hooks if isinstance(h, ClusterMemoryHook))
    expected = config.default_hooks.cluster_memory.clusterer.type
    assert type(hook.clusterer).__name__ == expected
    hook.clusterer = Halves()
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()

    assert runner.message_hub.get_scalar('train/loss').current() > 0
    size = next(t.scale for t in config.train_pipeline if t.type == 'Resize')
    sample = runner.train_dataloader.dataset[0]['inputs']
    assert sample.shape == (3, *size[::-1])
    # The gradient reached the first layer.
    moved = [k for k, v in runner.model.named_parameters() if not v.equal(before[k])]
    assert next(k for k in before if k.startswith('backbone')) in moved
    assert 0 < runner.message_hub.get_scalar('val/reid/mAP').current() <= 100


@pytest.mark.parametrize('network', NETWORKS)
def test_full_size(network):
    """The head expects the channels that the network has; nothing is computed."""
    config = Config.fromfile(ROOT / 'configs' / f'cc_{network}_market.py')
    without_downloads(config)
    init_default_scope('mmreid_cc')
    model = MODELS.build(config.model).to('meta').eval()
    images = torch.empty(2, 3, 256, 128, device='meta')
    shape = model(images, mode='tensor').shape
    assert shape == (2, config.model.head.in_channels)
    others = [path for path in CONFIGS if path.stem.startswith(f'cc_{network}_')]
    for path in others:  # of other data sets
        assert Config.fromfile(path).model.head == config.model.head


@pytest.mark.parametrize('name', RECIPES)
def test_recipe_is_the_references(name):
    """The numbers of the paper and its public code (run scripts and defaults)."""
    config = Config.fromfile(RECIPES[name])
    dataset = name.removeprefix('cc_r50_').removeprefix('infomap_')
    sampler = config.train_dataloader.sampler
    assert (sampler.num_clusters, sampler.num_instances) == (16, 16)
    assert sampler.iters_per_epoch == (400 if dataset in ('msmt17', 'veri') else 200)
    size = (224, 224) if dataset == 'veri' else (256, 128)
    transforms = {t.type: t for t in config.train_dataloader.dataset.pipeline}
    assert tuple(transforms['Resize'].scale) == size[::-1]
    assert transforms['PadAndCrop'].padding == 10
    assert transforms['RandomFlip'].prob == transforms['ReIDRandomErasing'].prob == 0.5
    test = {t.type: t for t in config.test_dataloader.dataset.pipeline}
    assert test['Resize'] == transforms['Resize']

    model = config.model
    assert (model.backbone.type, model.backbone.depth) == ('ResNet', 50)
    assert tuple(model.backbone.strides) == (1, 2, 2, 1)
    assert model.neck.type == 'GeneralizedMeanPooling'
    assert model.neck.p == 3
    assert 'embed_dim' not in model.head
    memory = dict(type='ClusterMemory', momentum=0.1, temperature=0.05)
    assert model.head.memory.to_dict() == memory

    optimizer = dict(type='Adam', lr=3.5e-4, weight_decay=5e-4, fused=True)
    assert config.optim_wrapper.optimizer.to_dict() == optimizer
    schedule = config.param_scheduler
    assert (schedule.type, schedule.step_size, schedule.gamma) == ('StepLR', 20, 0.1)
    assert (config.train_cfg.max_epochs, config.train_cfg.val_interval) == (50, 10)
    clusterer = dict(type='DBSCAN', eps=0.6, min_samples=4, k1=30, k2=6)
    if 'infomap' in name:
        clusterer = dict(type='InfoMap', k=15, min_similarity=0.5, min_cluster_size=5)
    assert config.default_hooks.cluster_memory.clusterer.to_dict() == clusterer


def test_recipes_are_all_there():
    names = {'market', 'msmt17', 'duke', 'personx', 'veri'}
    expected = {f'cc_r50_{n}' for n in names} | {f'cc_r50_infomap_{n}' for n in names}
    assert set(RECIPES) == expected


def test_a_backbone_is_swapped_by_three_lines(tmp_path):
    """As in the README: a config that inherits and names another backbone."""
    (tmp_path / 'swin.py').write_text(
        f"_base_ = ['{ROOT}/configs/cc_r50_market.py']\n"
        "backbone = dict(_delete_=True, type='SwinTransformer', arch='tiny',\n"
        '                img_size=(256, 128), pad_small_map=True)\n'
        'model = dict(backbone=backbone, head=dict(in_channels=768))\n'
    )
    init_default_scope('mmreid_cc')
    model = MODELS.build(Config.fromfile(tmp_path / 'swin.py').model)
    images = torch.empty(1, 3, 256, 128, device='meta')
    assert model.to('meta').eval()(images, mode='tensor').shape == (1, 768)
