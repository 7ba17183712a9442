"""A folder of crops, a config and nothing else: tools/train.py trains on it."""

import json

import pytest
from conftest import ROOT
from tiny_network import write_people_crops
from tool_runs import run_tool


@pytest.mark.parametrize('name', ['cc_mbv2_own', 'cc_r50_own', 'cc_r50_own_best'])
def test_trains_on_a_folder(name, tmp_path):
    write_people_crops(tmp_path / 'crops', pids=(1, 3, 4, 6), shots=4)
    quick = ['model.backbone.init_cfg=None', 'train_cfg.max_epochs=1']
    quick += ['train_dataloader.sampler.iters_per_epoch=1']
    loaders = ['train_dataloader', 'test_dataloader']
    if name == 'cc_r50_own_best':
        loaders.append('val_dataloader')
        quick.append('train_cfg.max_epochs=3')
        quick.append('default_hooks.early_stopping.min_delta=2.0')  # more than can be
        quick.append('default_hooks.early_stopping.patience=1')
    for loader in loaders:
        quick += [f'{loader}.num_workers=0', f'{loader}.persistent_workers=False']
    if name.startswith('cc_r50_own'):
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
    clustering = next(line for line in logged if 'cluster/size_max' in line)
    assert clustering['cluster/clusters'] >= 1
    assert clustering['cluster/people'] >= 1
    assert -1 <= clustering['cluster/silhouette'] <= 1
    assert (tmp_path / 'run' / 'epoch_1.pth').exists()
    if name == 'cc_r50_own_best':
        # Judged after each epoch, of which the third is not reached.
        judged = [line for line in logged if 'cluster/size_max' not in line]
        judged = {
            line['step']: line['cluster/silhouette']
            for line in judged
            if 'cluster/silhouette' in line
        }
        assert sorted(judged) == [1, 2]
        (best,) = (tmp_path / 'run').glob('best_cluster_silhouette_*.pth')
        assert best.stem.endswith(str(max(judged, key=judged.get)))
        out = tmp_path / 'report.html'
        status, printed = run_tool(
            'visualization/report.py', 'run', '--out', out, cwd=tmp_path
        )
        assert status == 0, printed[-3000:]
        assert 'The report is without a test set' in printed
        page = out.read_text()
        assert 'silhouette' in page
        assert 'people, estimated' in page
