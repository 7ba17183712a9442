"""A loss that is no number ends the run, and what led to it is kept."""

import json
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from conftest import ROOT
from mmengine.hooks import Hook
from mmengine.runner import Runner
from PIL import Image
from tool_runs import run_tool

from mmreid_cc.engine import delayed_losses
from mmreid_cc.registry import HOOKS


@HOOKS.register_module()
class SpoilLoss(Hook):
    """Make the loss of one iteration, in one process, what is asked for."""

    def __init__(self, iteration, value, rank=0):
        self.iteration = iteration
        self.value = float(value)
        self.rank = rank

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter + 1 == self.iteration and runner.rank == self.rank:
            self.spoil(runner)

    def spoil(self, runner):
        head = getattr(runner.model, 'module', runner.model).head
        loss = head.loss
        head.loss = lambda *inputs: {'loss': loss(*inputs)['loss'] * self.value}


@pytest.fixture
def config(tiny_config):
    tiny_config.default_hooks.invalid_loss = dict(type='InvalidLossHook')
    tiny_config.custom_hooks = [dict(type='SpoilLoss', iteration=5, value='nan')]
    tiny_config.optim_wrapper.optimizer.lr = 0.00025
    return tiny_config


@pytest.mark.parametrize('value', ['nan', 'inf'])
def test_the_run_ends_with_iteration_learning_rate_and_images(config, value):
    config.custom_hooks[0].value = value
    runner = Runner.from_cfg(config)
    found = (
        rf'loss of process\(es\) \[0\] is {value} in iteration 5 \(epoch 2, batch 2\), '
        r'with learning rate 0.00025. The images .* in .*/invalid_loss'
    )
    with pytest.raises(FloatingPointError, match=found):
        runner.train()
    # Nothing was saved, validated or logged after it.
    work_dir = Path(config.work_dir)
    assert {path.name for path in work_dir.glob('epoch_*')} == {'epoch_1.pth'}
    weights = torch.load(work_dir / 'epoch_1.pth', weights_only=False)['state_dict']
    assert all(value.isfinite().all() for value in weights.values())
    lines = next(work_dir.glob('*/vis_data/scalars.json')).read_text().splitlines()
    assert max(json.loads(line).get('iter', 0) for line in lines) == 4


def test_the_sheet_shows_what_the_network_saw(config):
    """Image and line i of the sheet are sample i of the batch."""
    seen = []

    @HOOKS.register_module(force=True)
    class SpoilAndWatch(SpoilLoss):
        def spoil(self, runner):
            super().spoil(runner)
            seen.append(self.data_batch)

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            self.data_batch = data_batch
            super().before_train_iter(runner, batch_idx, data_batch)

    config.custom_hooks[0].type = 'SpoilAndWatch'
    with pytest.raises(FloatingPointError):
        Runner.from_cfg(config).train()
    folder = Path(config.work_dir) / 'invalid_loss'
    assert {path.name for path in folder.iterdir()} == {
        'iter_5_rank_0.png',
        'iter_5_rank_0.txt',
    }
    paths = (folder / 'iter_5_rank_0.txt').read_text().splitlines()
    assert paths == [sample.img_path for sample in seen[0]['data_samples']]
    sheet = np.asarray(Image.open(folder / 'iter_5_rank_0.png')).astype(int)
    height, width = seen[0]['inputs'].shape[2:]
    for column in (0, 15):
        left = 2 + column * (width + 2)  # the images are 2 pixels apart
        shown = sheet[2 : 2 + height, left : left + width]
        expected = seen[0]['inputs'][column].flip(0).permute(1, 2, 0).numpy()
        np.testing.assert_allclose(shown, expected, atol=1)


def test_a_disk_that_is_full_does_not_hide_the_loss(config):
    (Path(config.work_dir) / 'invalid_loss').mkdir(parents=True)
    (Path(config.work_dir) / 'invalid_loss' / 'iter_5_rank_0.txt').mkdir()
    with pytest.raises(FloatingPointError, match=r'is nan .*could not be saved: '):
        Runner.from_cfg(config).train()


def test_a_finite_loss_passes(config):
    config.custom_hooks = []
    Runner.from_cfg(config).train()
    assert not (Path(config.work_dir) / 'invalid_loss').exists()


def test_the_iteration_is_not_saved(config):
    """A checkpoint after every iteration: the last is from before."""
    config.default_hooks.checkpoint.update(by_epoch=False, save_best=None)
    with pytest.raises(FloatingPointError, match='iteration 5'):
        Runner.from_cfg(config).train()
    saved = {path.name for path in Path(config.work_dir).glob('iter_*')}
    assert saved == {'iter_3.pth', 'iter_4.pth'}


@pytest.fixture
def late(monkeypatch):
    """Losses as if of a GPU: read an iteration later."""
    monkeypatch.setattr(delayed_losses, 'any_on_gpu', lambda tensors: bool(tensors))
    monkeypatch.setattr(torch.cuda, 'Event', Mock)


def test_a_loss_of_a_gpu_is_read_in_the_next_iteration(config, late):
    """The error and the pictures are those of iteration 5; 6 was under way."""
    runner = Runner.from_cfg(config)
    with pytest.raises(FloatingPointError, match=r'nan in iteration 5 \(.*batch 2\)'):
        runner.train()
    assert runner.iter == 5  # the sixth, counted from 0, was not finished
    work_dir = Path(config.work_dir)
    assert {path.name for path in work_dir.glob('epoch_*')} == {'epoch_1.pth'}
    assert (work_dir / 'invalid_loss' / 'iter_5_rank_0.png').exists()


@pytest.mark.parametrize('iteration', [3, 6])
def test_the_last_loss_of_an_epoch_is_read_before_it_is_saved(config, late, iteration):
    config.custom_hooks[0].iteration = iteration
    with pytest.raises(FloatingPointError, match=f'nan in iteration {iteration} '):
        Runner.from_cfg(config).train()
    saved = {path.name for path in Path(config.work_dir).glob('epoch_*')}
    assert saved == ({'epoch_1.pth'} if iteration == 6 else set())


def test_a_late_loss_is_read_before_an_iteration_is_saved(config, late):
    config.default_hooks.checkpoint.update(by_epoch=False, save_best=None)
    with pytest.raises(FloatingPointError, match='iteration 5'):
        Runner.from_cfg(config).train()
    saved = {path.name for path in Path(config.work_dir).glob('iter_*')}
    assert saved == {'iter_3.pth', 'iter_4.pth'}


def test_a_hook_that_saves_by_itself_saves_nothing_either(config, late):
    @HOOKS.register_module(force=True)
    class SaveAlways(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            runner.save_checkpoint(runner.work_dir, f'own_{runner.iter + 1}.pth')

    config.custom_hooks.append(dict(type='SaveAlways'))
    with pytest.raises(FloatingPointError, match='iteration 5'):
        Runner.from_cfg(config).train()
    saved = {path.name for path in Path(config.work_dir).glob('own_*')}
    assert saved == {f'own_{i}.pth' for i in range(1, 5)}


def test_the_log_has_every_loss_once(config, late):
    """Also where it gets them an iteration later."""
    config.custom_hooks = []
    config.default_hooks.runtime_info = dict(type='RunAheadHook')
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.model.data_preprocessor._non_blocking
    logged = runner.message_hub.log_scalars['train/loss'].data[0]
    assert len(logged) == 6
    assert len(set(logged)) == 6


def test_every_process_stops(market_root, tmp_path):
    """One of two has the invalid loss; both end with the same error, and none waits."""
    config = tmp_path / 'spoilt.py'
    config.write_text(f"""
_base_ = '{ROOT}/configs/cc_mbv2_cuhk03.py'
custom_imports = dict(imports=['tiny_backbone', 'test_invalid_loss'])
model = dict(backbone=dict(_delete_=True, type='TinyBackbone'),
             head=dict(in_channels=16))
train_dataloader = dict(
    num_workers=0, persistent_workers=False, batch_size=16,
    sampler=dict(num_clusters=4, num_instances=4, iters_per_epoch=3))
val_dataloader = dict(num_workers=0, persistent_workers=False, batch_size=10)
test_dataloader = val_dataloader
clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer),
                     batch_norm_groups=dict(samples_per_bn=8),
                     invalid_loss=dict(type='InvalidLossHook'))
custom_hooks = [dict(type='SpoilLoss', iteration=2, value='nan', rank=1)]
""")
    arguments = [config, '--data-root', market_root]
    status, printed = run_tool('train.py', *arguments, cwd=tmp_path, processes=2)
    assert status != 0, printed[-3000:]
    raised = [line for line in printed.splitlines() if 'FloatingPointError: ' in line]
    assert len([line for line in raised if 'process(es) [1]' in line]) >= 2, printed[
        -3000:
    ]
    saved = {path.name for path in tmp_path.glob('work_dirs/*/invalid_loss/*')}
    assert saved == {'iter_2_rank_1.png', 'iter_2_rank_1.txt'}
