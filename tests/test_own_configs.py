"""A folder of crops, a config and nothing else: tools/train.py trains on it."""

import json

import pytest
from conftest import ROOT
from tiny_network import write_people_crops
from tool_runs import run_tool


@pytest.mark.parametrize('name', ['cc_mbv2_own', 'cc_r50_own'])
def test_trains_on_a_folder(name, tmp_path):
    write_people_crops(tmp_path / 'crops', pids=(1, 3, 4, 6), shots=4)
    quick = ['model.backbone.init_cfg=None', 'train_cfg.max_epochs=1']
    quick += ['train_dataloader.sampler.iters_per_epoch=1']
    for loader in ('train_dataloader', 'test_dataloader'):
        quick += [f'{loader}.num_workers=0', f'{loader}.persistent_workers=False']
    if name == 'cc_r50_own':
        narrow = ['stem_channels=8', 'base_channels=8']
        quick += [f'model.backbone.{option}' for option in narrow]
        sizes = ['num_clusters=2', 'num_instances=16']
        quick += [f'train_dataloader.sampler.{option}' for option in sizes]
        quick += ['model.head.in_channels=256', 'train_dataloader.batch_size=32']
        quick += ['default_hooks.batch_norm_groups.samples_per_bn=16']
    arguments = ['--data-root', 'crops', '--work-dir', 'run', '--cfg-options', *quick]
    config = str(ROOT / 'configs' / f'{name}.py')
    status, printed = run_tool('train.py', config, *arguments, cwd=tmp_path)
    assert status == 0, printed[-3000:]
    (log,) = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    (clustering,) = (line for line in logged if 'cluster/clusters' in line)
    assert clustering['cluster/clusters'] >= 1
    assert clustering['cluster/people'] >= 1
    assert -1 <= clustering['cluster/silhouette'] <= 1
    assert (tmp_path / 'run' / 'epoch_1.pth').exists()
