"""Grids of runs: trained once each, tabulated and drawn."""

import copy
import json

import pytest
from conftest import ROOT
from mmengine.config import Config
from tool_runs import run_tool

BASE = """
_base_ = '{root}/configs/cc_mbv2_cuhk03.py'
custom_imports = dict(imports=['tiny_backbone'])
model = dict(backbone=dict(_delete_=True, type='TinyBackbone'),
             head=dict(in_channels=16))
data = dict(data_root='{data}')
train_dataloader = dict(
    num_workers=0, persistent_workers=False, batch_size=16, dataset=data,
    sampler=dict(num_clusters=4, num_instances=4, iters_per_epoch=3))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=data)
test_dataloader = val_dataloader
clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer),
                     logger=dict(interval=1))
train_cfg = dict(max_epochs=2)
"""
INSTANCE = {'model.head.memory': dict(_delete_=True, type='InstanceMemory')}
GRID = dict(
    config='base.py',
    options={'train_cfg.max_epochs': 1},
    groups={
        'memory': {'cluster': {}, 'instance': INSTANCE},
        'momentum': {'0.1': {'model.head.memory.momentum': 0.1}},
    },
)


def ablate(folder, grid=GRID):
    (folder / 'grid.json').write_text(json.dumps(grid))
    tool = 'analysis_tools/ablate.py'
    return run_tool(tool, 'grid.json', '--work-dir', 'out', cwd=folder)


def test_a_grid(market_root, tmp_path):
    (tmp_path / 'base.py').write_text(BASE.format(root=ROOT, data=market_root))
    status, printed = ablate(tmp_path)
    assert status == 0, printed
    out = tmp_path / 'out'
    rows = json.loads((out / 'ablation.json').read_text())
    assert [(row['group'], row['value']) for row in rows] == [
        ('memory', 'cluster'),
        ('memory', 'instance'),
        ('momentum', '0.1'),
    ]
    # 8 clusters, 48 images; 16 numbers of 4 bytes each.
    assert [row['memory_bytes'] for row in rows] == [[512], [3072], [512]]
    assert all(row['mAP'][0] > 50 and row['clusters'] == [8] for row in rows)
    # The third run is the first one.
    assert sorted(p.name for p in out.iterdir() if p.is_dir()) == [
        'memory-cluster-1',
        'memory-instance-1',
    ]
    assert '| memory | cluster |' in printed
    assert (out / 'ablation.md').read_text() in printed
    assert (out / 'ablation.png').stat().st_size > 1000
    assert len((out / 'ablation.md').read_text().splitlines()) == 2 + 3

    logs = [p.stat().st_mtime_ns for p in out.glob('*/train.log')]
    assert ablate(tmp_path)[0] == 0  # finished: nothing is trained
    assert [p.stat().st_mtime_ns for p in out.glob('*/train.log')] == logs
    _, printed = ablate(tmp_path, {**GRID, 'options': {'train_cfg.max_epochs': 2}})
    assert 'memory-cluster-1 holds a run of another config' in printed


@pytest.mark.parametrize(
    ('grid', 'message'),
    [
        ({'config': 'base.py', 'group': {}}, r'a grid has `config` and `groups`'),
        ({'config': 'nowhere.py', 'groups': {}}, 'nowhere.py, does not exist'),
    ],
)
def test_wrong_grids(tmp_path, grid, message):
    status, printed = ablate(tmp_path, grid)
    assert status != 0
    assert message in printed


def test_the_papers_grid_fits_its_config():
    """Every option is one that its config and the components know."""
    from mmreid_cc.engine.config_check import check_config, check_options

    grid = Config.fromfile(ROOT / 'configs' / 'ablations' / 'paper_synthetic.py')
    base = Config.fromfile(ROOT / grid.config)
    groups = grid.groups
    assert set(groups) >= {'memory', 'momentum', 'update', 'initialisation', 'batch'}
    for values in groups.values():
        for options in values.values():
            config = copy.deepcopy(base)
            check_options(config, options)
            config.merge_from_dict(options.to_dict())
            check_config(config)
            sampler = config.train_dataloader.sampler
            drawn = sampler.num_clusters * sampler.num_instances
            assert config.train_dataloader.batch_size == drawn
