"""A resumed run is the uninterrupted one, bit for bit."""

import copy
import hashlib
import shutil
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tool_runs import run_tool

from mmreid_cc.engine.resuming import newest_whole_checkpoint

CONFIG = """
_base_ = '{root}/configs/cc_mbv2_cuhk03.py'
custom_imports = dict(imports=['tiny_backbone', 'interruptions'])
model = dict(backbone=dict(_delete_=True, type='TinyBackbone'),
             head=dict(in_channels=16))
train_dataloader = dict(
    num_workers=0, persistent_workers=False, batch_size=16,
    dataset=dict(data_root='{data}'),
    sampler=dict(num_clusters=4, num_instances=4, iters_per_epoch=3))
val_dataloader = dict(num_workers=0, persistent_workers=False,
                      dataset=dict(data_root='{data}'))
test_dataloader = val_dataloader
clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer),
                     logger=dict(interval=1))
train_cfg = dict(max_epochs=4)
custom_hooks = {hooks}
"""


def checksum(checkpoint):
    """SHA-256 of the weights and of the state of the optimizer."""
    state = torch.load(checkpoint, weights_only=False)
    sums = hashlib.sha256()
    for name, value in state['state_dict'].items():
        sums.update(name.encode() + value.numpy().tobytes())
    for moments in state['optimizer']['state'].values():
        for name, value in sorted(moments.items()):
            sums.update(name.encode() + value.numpy().tobytes())
    return sums.hexdigest()


def train(config, work_dir, *arguments):
    """tools/train.py; returns its status and what it printed."""
    arguments = [config, *arguments, '--work-dir', work_dir]
    return run_tool('train.py', *arguments, cwd=work_dir)


@pytest.fixture(scope='module')
def uninterrupted(market_root, tmp_path_factory):
    """The checksum of four epochs, and the config."""
    folder = tmp_path_factory.mktemp('uninterrupted')
    config = folder / 'config.py'
    config.write_text(CONFIG.format(root=ROOT, data=market_root, hooks=[]))
    status, printed = train(config, folder)
    assert status == 0, printed
    return checksum(folder / 'epoch_4.pth'), config


@pytest.mark.parametrize(
    'point', ['iteration', 'extraction', 'clustering', 'checkpoint', 'half a file']
)
def test_killed_in_the_third_epoch(uninterrupted, market_root, tmp_path, point):
    expected, config = uninterrupted
    hooks = [dict(type='KillHook', point=point, epoch=3)]
    killing = tmp_path / 'killing.py'
    killing.write_text(CONFIG.format(root=ROOT, data=market_root, hooks=hooks))
    status, printed = train(killing, tmp_path)
    assert status == -9, printed
    assert not (tmp_path / 'epoch_4.pth').exists()
    status, printed = train(config, tmp_path, '--resume')
    assert status == 0, printed
    assert 'resumed epoch: 2' in printed
    assert checksum(tmp_path / 'epoch_4.pth') == expected


class StopError(Exception):
    """Raised to end a training early."""


class Stop(Hook):
    """End a training after an iteration."""

    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            raise StopError


def run(config, name, resume=False, stop=None, validate=False):
    """Train in this process; returns the runner and the last checkpoint."""
    config = copy.deepcopy(config)
    config.work_dir += f'_{name}'
    config.experiment_name += f'_{name}_{resume}'
    if not validate:
        # Weights are compared; features are extracted by the test loader.
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
        config.default_hooks.checkpoint.save_best = None
    if resume:
        config.load_from = newest_whole_checkpoint(config.work_dir)
        config.resume = True
    runner = Runner.from_cfg(config)
    if stop is None:
        runner.train()
    else:
        runner.register_hook(Stop(stop))
        with pytest.raises(StopError):
            runner.train()
    return runner, newest_whole_checkpoint(config.work_dir)


def test_between_two_clusterings(tiny_config):
    """Clusters before epochs 1 and 3, stopped in epoch 4: labels are not made anew."""
    tiny_config.train_cfg.max_epochs = 4
    tiny_config.default_hooks.cluster_memory.interval = 2
    expected = checksum(run(tiny_config, 'whole')[1])
    _, saved = run(tiny_config, 'parts', stop=10)
    assert saved.endswith('epoch_3.pth')
    assert set(torch.load(saved, weights_only=False)['cluster_memory']) == {
        'images',
        'iteration',
        'memory',
    }
    runner, resumed = run(tiny_config, 'parts', resume=True)
    assert runner.iter == 12
    assert checksum(resumed) == expected


def test_with_other_images(tiny_config, tmp_path):
    """As many as before, so that labels would belong to the wrong ones."""
    root = Path(tiny_config.train_dataloader.dataset.data_root)
    copied = Path(shutil.copytree(root, tmp_path / 'copied'))
    tiny_config.default_hooks.cluster_memory.interval = 2
    tiny_config.default_hooks.checkpoint.by_epoch = False
    run(tiny_config, 'parts', stop=2)
    tiny_config.train_dataloader.dataset.data_root = str(copied)
    run(tiny_config, 'parts', resume=True, stop=4)  # the same ones elsewhere
    image = min((copied / 'bounding_box_train').glob('*.jpg'))
    image.rename(image.with_name('0009_c1s1_000000_00.jpg'))
    tiny_config.experiment_name += '_renamed'
    with pytest.raises(ValueError, match=r'labels of other images .*load_from='):
        run(tiny_config, 'parts', resume=True)


@pytest.mark.parametrize('interval', [1, 2])
def test_inside_an_epoch(tiny_config, interval):
    """A checkpoint after every iteration; epochs have three of them."""
    tiny_config.train_cfg.max_epochs = 3
    tiny_config.default_hooks.cluster_memory.interval = interval
    tiny_config.default_hooks.checkpoint.by_epoch = False
    whole, last = run(tiny_config, 'whole')
    expected = checksum(last)
    for stop in (5, 6, 7):
        name = f'stopped_{stop}'
        _, saved = run(tiny_config, name, stop=stop)
        assert saved.endswith(f'iter_{stop}.pth')
        runner, resumed = run(tiny_config, name, resume=True)
        assert runner.iter == whole.iter == 9
        assert checksum(resumed) == expected, stop


def test_with_settings_that_are_found(tiny_config):
    """The choice depends on the features only, so a checkpoint need not hold it."""
    clusterer = dict(_delete_=True, type='AutoDBSCAN')
    hooks = dict(cluster_memory=dict(clusterer=clusterer))
    tiny_config.merge_from_dict(dict(default_hooks=hooks))
    tiny_config.default_hooks.checkpoint.by_epoch = False
    whole, last = run(tiny_config, 'whole')
    run(tiny_config, 'parts', stop=4)
    runner, resumed = run(tiny_config, 'parts', resume=True)
    assert runner.iter == whole.iter > 4
    assert checksum(resumed) == checksum(last)


def test_with_random_depth(tiny_config):
    """What the network draws by itself is drawn again."""
    tiny_config.model.backbone = dict(
        type='ConvNeXt', arch=dict(depths=[1, 1, 1, 1], channels=[8, 8, 8, 16])
    )
    tiny_config.model.backbone.update(drop_path_rate=0.5, gap_before_final_norm=False)
    tiny_config.default_hooks.checkpoint.by_epoch = False
    _, last = run(tiny_config, 'whole')
    run(tiny_config, 'parts', stop=4)
    assert checksum(run(tiny_config, 'parts', resume=True)[1]) == checksum(last)


def test_seed_of_the_checkpoint(tiny_config):
    """Without a seed in the config, the one that was drawn is drawn on."""
    tiny_config.randomness = dict(seed=None)
    first, _ = run(tiny_config, 'parts', stop=4)
    runner, _ = run(tiny_config, 'parts', resume=True)
    assert runner.seed == first.seed == runner.train_dataloader.sampler.seed


def test_workers_change_no_weight(tiny_config):
    expected = checksum(run(tiny_config, 'none')[1])
    for workers, persistent in ((1, True), (2, False)):
        loader = dict(num_workers=workers, persistent_workers=persistent)
        tiny_config.train_dataloader.update(loader)
        assert checksum(run(tiny_config, f'{workers}{persistent}')[1]) == expected
