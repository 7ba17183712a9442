"""Configs with a labelled source: they train, adapt, and test on several sets."""

import json
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from mmengine.runner import Runner

from mmreid_cc.datasets import JointReID
from mmreid_cc.engine.config_check import check_config
from mmreid_cc.registry import DATASETS

BASELINES = sorted((ROOT / 'configs').glob('baseline_*.py'))
ADAPTATIONS = sorted((ROOT / 'configs').glob('uda_r50_*.py'))
IDENTITIES = dict(market=751, duke=702, msmt17=1041, personx=410, veri=576)


def read(name):
    return Config.fromfile(ROOT / 'configs' / f'{name}.py')


def make_small(config: Config, market_root: Path, tmp_path: Path) -> Config:
    """Two epochs of two batches of 4 × 4 on ``market_root``, with a tiny backbone."""
    config.model.backbone = dict(type='TinyBackbone')
    config.model.head.in_channels = 16
    for name in ('train', 'val', 'test'):
        loader = config[f'{name}_dataloader']
        loader.update(num_workers=0, persistent_workers=False, pin_memory=False)
        loader.batch_size = 16
        for dataset in loader.dataset.get('datasets', {}).values():
            dataset.update(type='ReIDDataset', data_root=str(market_root))
        if 'datasets' not in loader.dataset:
            loader.dataset.data_root = str(market_root)
    config.train_dataloader.sampler.update(
        num_clusters=4, num_instances=4, iters_per_epoch=2
    )
    if 'cluster_memory' in config.default_hooks:
        clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
        config.default_hooks.cluster_memory.clusterer = clusterer
    config.train_cfg.update(max_epochs=2, val_interval=2)
    config.work_dir = str(tmp_path / config.filename.split('/')[-1])
    config.experiment_name = f'{tmp_path.name}_{Path(config.filename).stem}'
    return config


def scalars(runner: Runner) -> list[dict]:
    (file,) = Path(runner.work_dir).glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize('path', BASELINES, ids=lambda path: path.stem)
def test_baseline_is_the_papers(path: Path):
    """Luo et al., CVPR workshops 2019, sections 2 and 3; batches of 16 × 4."""
    config = Config.fromfile(path)
    check_config(config)
    name = path.stem.split('_')[2]
    loader = config.train_dataloader
    sampler = loader.sampler
    assert loader.batch_size == 64
    assert (sampler.type, sampler.num_clusters) == ('RandomIdentitySampler', 16)
    assert sampler.num_instances == 4
    source = read(f'cc_r50_{name}').train_dataloader.dataset
    assert loader.dataset.type == 'LabelledReID'
    assert loader.dataset.dataset.type == source.type
    assert loader.dataset.data_root == source.data_root
    # An epoch is the training set, within 2 %.
    init_default_scope('mmreid_cc')
    images = DATASETS.get(source.type).COUNTS['train']['images']
    assert abs(64 * sampler.iters_per_epoch / max(images) - 1) < 0.025

    unsupervised = read(f'cc_r50_{name}').model
    assert config.model.backbone == unsupervised.backbone
    assert config.model.neck == unsupervised.neck
    assert config.model.head.to_dict() == dict(
        type='ReIDHead',
        in_channels=2048,
        num_classes=IDENTITIES[name],
        label_smoothing=0.1,
        margin=0.3,
    )
    optimizer = dict(type='Adam', lr=3.5e-4, weight_decay=5e-4, fused=True)
    assert config.optim_wrapper.optimizer.to_dict() == optimizer
    assert config.train_cfg.max_epochs == 120


def test_learning_rate_is_the_papers():
    """Equation 1: 3.5e-4 · t/10 up to t = 10, 3.5e-4 to 40, 3.5e-5 to 70, 3.5e-6."""
    config = read('baseline_r50_market')
    optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=3.5e-4)
    schedulers = [
        PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer))
        for s in config.param_scheduler
    ]
    for epoch in range(1, 121):
        expected = 3.5e-4 * epoch / 10 if epoch <= 10 else 3.5e-4
        expected *= 1 if epoch <= 40 else 0.1 if epoch <= 70 else 0.01
        assert optimizer.param_groups[0]['lr'] == pytest.approx(expected), epoch
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()


def test_supervised_runtime_lacks_clustering_only():
    supervised, default = read('baseline_r50_market'), read('cc_r50_market')
    hooks = default.default_hooks.to_dict()
    del hooks['cluster_memory'], hooks['step_slots']  # which has no memory to serve
    assert supervised.default_hooks.to_dict() == hooks


@pytest.mark.parametrize('path', ADAPTATIONS, ids=lambda path: path.stem)
def test_adaptation_differs_from_the_recipe_by_its_start(path: Path):
    config = Config.fromfile(path)
    check_config(config)
    source, target = path.stem.removeprefix('uda_r50_').split('2')
    source = source.replace('msmt', 'msmt17')
    assert config.load_from == f'work_dirs/baseline_r50_{source}/epoch_120.pth'
    assert (ROOT / 'configs' / f'baseline_r50_{source}.py').is_file()
    assert config.model.backbone.init_cfg is None
    several = '-' in target
    same = 'msmt17' if several else target.replace('msmt', 'msmt17')
    differing = [config.to_dict(), read(f'cc_r50_{same}').to_dict()]
    for content in differing:
        del content['load_from'], content['model']['backbone']['init_cfg']
        if several:
            content.pop('dataset', None)
            content.pop('custom_imports', None)
            for loader in ('train', 'val', 'test'):
                del content[f'{loader}_dataloader']['dataset']
            del content['val_evaluator'], content['test_evaluator']
    assert differing[0] == differing[1]


def test_source_adaptation_and_test_on_several_sets(market_root, tmp_path):
    """The whole way: with labels, then without from those weights, on two sets."""
    config = make_small(read('baseline_r50_market_cross-domain'), market_root, tmp_path)
    config.model.head.num_classes = 8
    config.default_hooks.logger.interval = 1
    source = Runner.from_cfg(config)
    source.train()
    (first, *_, last) = [line for line in scalars(source) if 'loss_triplet' in line]
    assert first['loss'] == pytest.approx(
        first['loss_identity'] + first['loss_triplet'], rel=1e-3
    )
    assert last['loss_identity'] < first['loss_identity']
    # One call, a row for each set: here, three times the same.
    metrics = source.test()
    rows = [metrics[f'reid/{name}/mAP'] for name in ('market', 'duke', 'msmt17')]
    assert rows == [metrics['reid/mAP']] * 3

    config = make_small(read('uda_r50_duke2market-msmt'), market_root, tmp_path)
    config.load_from = str(Path(source.work_dir) / 'epoch_2.pth')
    config.custom_hooks = [dict(type='InitialValidationHook')]
    target = Runner.from_cfg(config)
    target.train()
    assert isinstance(target.train_dataloader.dataset, JointReID)
    assert len(target.model.head.memory.labels) == 2 * 48
    tests = [line for line in scalars(target) if 'reid/mAP' in line]
    assert [line['step'] for line in tests] == [0, 2]
    # It starts from the source's embedding, up to the pooling, which is the same here.
    assert tests[0]['reid/market/mAP'] == pytest.approx(rows[0])
    assert {'reid/market/mAP', 'reid/msmt17/CMC@1'} <= set(tests[1])
