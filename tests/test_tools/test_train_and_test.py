"""The command line: train, test, resume, and the same on two processes."""

import fcntl
import json
import time

import pytest
from conftest import ROOT
from tool_runs import run_script, run_tool

from mmreid_cc.datasets import write_labels
from mmreid_cc.engine.work_dir_lock import LOCK

CONFIG = """
_base_ = '{root}/configs/cc_mbv2_cuhk03.py'
custom_imports = dict(imports=['tiny_backbone'])
model = dict(backbone=dict(_delete_=True, type='TinyBackbone'),
             head=dict(in_channels=16))
train_dataloader = dict(
    num_workers=0, batch_size=16,
    sampler=dict(num_clusters=4, num_instances=4, iters_per_epoch=3))
val_dataloader = dict(num_workers=0, batch_size=10)
test_dataloader = val_dataloader
clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer),
                     batch_norm_groups=dict(samples_per_bn=8),
                     logger=dict(interval=1))
train_cfg = dict(max_epochs=2)
"""


@pytest.fixture
def config(tmp_path):
    file = tmp_path / 'tiny.py'
    file.write_text(CONFIG.format(root=ROOT))
    return file


def run(tool, *arguments, cwd):
    """Run a tool; return what it printed."""
    status, printed = run_tool(tool, *arguments, cwd=cwd)
    assert status == 0, printed[-8000:]
    return printed


def losses(work_dir):
    lines = sorted(work_dir.glob('*/vis_data/scalars.json'))[-1].read_text()
    scalars = [json.loads(line) for line in lines.splitlines()]
    return [line['loss'] for line in scalars if 'loss' in line]


def test_train_resume_and_test(config, market_root, tmp_path):
    train = ['train.py', config]
    data = ['--data-root', market_root]
    run(*train, *data, cwd=tmp_path)
    work_dir = tmp_path / 'work_dirs' / 'tiny'  # the default: named after the config
    assert (work_dir / 'epoch_2.pth').is_file()
    assert len(losses(work_dir)) == 6

    resume = ['--resume', '--cfg-options']
    printed = run(*train, *data, *resume, 'optim_wrapper.optimizer.lr=1', cwd=tmp_path)
    assert 'is of epoch 2, and the run has 2: there is nothing left' in printed
    assert 'keeps these settings of its checkpoint' in printed
    assert ': optim_wrapper.optimizer.lr 0.00035 (config: 1). To train' in printed

    more = [*resume, 'train_cfg.max_epochs=3']
    printed = run(*train, *data, *more, cwd=tmp_path)
    assert 'resumed epoch: 2, iter: 6' in printed
    assert 'nothing left' not in printed
    assert ': param_scheduler.end 2 (config: 3). To train' in printed
    assert (work_dir / 'epoch_3.pth').is_file()

    test = ['test.py', config]
    out = tmp_path / 'metrics.json'
    checkpoint = work_dir / 'epoch_3.pth'
    run(*test, checkpoint, *data, '--rerank', '--out', out, cwd=tmp_path)
    metrics = json.loads(out.read_text())
    assert metrics['reid/mAP'] > 50
    assert {'reid/mAP_rerank', 'all/CMC@1_rerank'} <= set(metrics)


def test_two_processes(config, market_root, tmp_path):
    """Two gloo processes train and test with the config of one.

    The launcher starts a training in `test_a_killed_process_ends_the_others`.
    """
    data = ['--data-root', market_root]
    crops = sorted((market_root / 'bounding_box_train').glob('*.jpg'))
    write_labels(tmp_path / 'labels.csv', crops, [int(c.name[:4]) // 3 for c in crops])
    hook = 'default_hooks.cluster_memory'
    labels = f'{hook}.initial_labels={tmp_path / "labels.csv"}'
    ranking = 'custom_hooks.0.type=RankingVisualizationHook'
    options = ['--cfg-options', labels, f'{hook}.draw_clusters=True', ranking]
    status, printed = run_tool(
        'train.py', config, *data, *options, cwd=tmp_path, processes=2
    )
    assert status == 0, printed[-8000:]
    assert printed.count('Clustering before epoch 1: clusters 3,') == 1
    work_dir = tmp_path / 'work_dirs' / 'tiny'
    distributed = losses(work_dir)
    assert len(distributed) == 6
    log = next(work_dir.glob('*/*.log')).read_text()
    for name in ('clusters', 'rank_lists'):
        assert len(list(work_dir.glob(f'*/vis_data/vis_image/{name}_*.png'))) == 2
    assert 'batch_size=8' in log  # 4 × 4 images shared by 2 processes

    out = tmp_path / 'metrics.json'
    checkpoint = work_dir / 'epoch_2.pth'
    test = [config, checkpoint, 2, *data, '--out', out]
    status, printed = run_script('dist_test.sh', *test, cwd=tmp_path)
    assert status == 0, printed[-8000:]
    alone = tmp_path / 'alone.json'
    run('test.py', config, checkpoint, *data, '--out', alone, cwd=tmp_path)
    expected = json.loads(alone.read_text())
    assert json.loads(out.read_text()) == pytest.approx(expected, abs=1e-4)


def test_a_batch_size_that_the_sampler_does_not_draw(config, market_root, tmp_path):
    train = ['train.py', config]
    options = ['--cfg-options', 'train_dataloader.batch_size=8']
    with pytest.raises(AssertionError, match=r'is 8, but its sampler draws .* = 16'):
        run(*train, '--data-root', market_root, *options, cwd=tmp_path)


def test_a_wrong_checkpoint_ends_with_its_name(config, market_root, tmp_path):
    test = ['test.py', config, 'missing.pth']
    with pytest.raises(AssertionError, match=r'missing.pth cannot be found'):
        run(*test, '--data-root', market_root, cwd=tmp_path)


@pytest.mark.parametrize('count', [[], ['--data-root'], ['0']])
def test_a_script_without_the_number_of_processes(config, tmp_path, count):
    for script in (['dist_train.sh', config], ['dist_test.sh', config, 'last.pth']):
        status, printed = run_script(*script, *count, cwd=tmp_path)
        assert status == 2
        assert 'N is the number of processes, not ' in printed


def test_a_work_dir_of_another_run(config, market_root, tmp_path):
    """While that run trains; then the folder is free, in whatever way it ended."""
    text = config.read_text()
    config.write_text(text.replace("tiny_backbone'", "tiny_backbone', 'interruptions'"))
    train = ['train.py', config, '--data-root', market_root, '--work-dir', 'both']
    (tmp_path / 'both').mkdir()
    with (tmp_path / 'both' / LOCK).open('w') as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        with pytest.raises(AssertionError, match=r'Another training writes to .*both'):
            run(*train, cwd=tmp_path)
    assert not list(tmp_path.glob('both/*.pth'))
    kill = "custom_hooks=[dict(type='KillHook', point='iteration', epoch=2)]"
    options = ['--cfg-options', kill, 'train_dataloader.num_workers=1']
    status, _ = run_tool(*train, *options, cwd=tmp_path)
    assert status == -9
    run(*train, '--resume', cwd=tmp_path)


def test_results_that_could_not_be_written(config, market_root, tmp_path):
    """It is known before the test, which can take long."""
    test = ['test.py', config, 'missing.pth', '--data-root', market_root, '--out']
    with pytest.raises(AssertionError, match=r"must end in .json, .* not 'all.txt'"):
        run(*test, 'all.txt', cwd=tmp_path)
    with pytest.raises(AssertionError, match='nothing can be written there'):
        run(*test, config / 'all.json', cwd=tmp_path)


def test_a_killed_process_ends_the_others(config, market_root, tmp_path):
    """Within a minute, with the reason, and not by a time limit of hours."""
    kill = "[dict(type='KillHook', point='iteration', epoch=2, rank=1)]"
    text = config.read_text().replace(
        "['tiny_backbone']", "['tiny_backbone', 'interruptions']"
    )
    config.write_text(f'{text}custom_hooks = {kill}\n')
    arguments = [config, 2, '--data-root', market_root]
    status, printed = run_script('dist_train.sh', *arguments, cwd=tmp_path)
    assert status != 0
    assert 'Signal 9 (SIGKILL) received' in printed
    assert 'local_rank: 1' in printed
    (log,) = (tmp_path / 'work_dirs' / 'tiny').glob('*/*.log')
    assert time.time() - log.stat().st_mtime < 60  # since the last iteration


def test_a_work_dir_that_cannot_be_written(config, market_root, tmp_path):
    (tmp_path / 'file').write_text('')
    folder = ['--work-dir', tmp_path / 'file' / 'folder', '--data-root', market_root]
    for arguments in (['train.py', config], ['test.py', config, 'missing.pth']):
        status, printed = run_tool(*arguments, *folder, cwd=tmp_path)
        assert status == 1
        assert 'logs and checkpoints cannot be written there' in printed
        assert '--work-dir FOLDER' in printed
