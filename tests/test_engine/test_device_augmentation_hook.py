"""Augmentation of a batch on the device gives the pixels of the pipeline."""

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_cc.registry import HOOKS


@HOOKS.register_module()
class KeepBatches(Hook):
    """Keep what the network sees."""

    priority = 'LOWEST'

    def __init__(self):
        self.inputs = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.inputs.append(data_batch['inputs'].clone())


def trained(config, hooks, workers=0):
    """The batches and the weights of a run."""
    cfg = config.copy()
    cfg.experiment_name = f'{cfg.experiment_name}_{len(hooks)}_{workers}'
    cfg.train_dataloader.num_workers = workers
    cfg.custom_hooks = [*hooks, dict(type='KeepBatches')]
    runner = Runner.from_cfg(cfg)
    runner.train()
    kept = next(hook for hook in runner.hooks if isinstance(hook, KeepBatches))
    return kept.inputs, runner.model.state_dict()


@pytest.fixture
def config(tiny_config):
    tiny_config.val_cfg = tiny_config.val_dataloader = tiny_config.val_evaluator = None
    tiny_config.default_hooks.checkpoint.update(save_best=None)
    return tiny_config


def test_the_run_is_the_same(config):
    """In all pixels of all batches, and so in the weights."""
    expected, weights = trained(config, [])
    for workers in (0, 1):
        hook = dict(type='DeviceAugmentationHook')
        found, others = trained(config, [hook], workers)
        assert len(found) == len(expected) == 6
        for images, wanted in zip(found, expected, strict=True):
            assert images.equal(wanted)
        assert all(others[name].equal(value) for name, value in weights.items())
    plain = trained(config, [])[0]
    assert not plain[0].equal(plain[1])  # something is drawn


def test_another_pipeline_is_an_error(config):
    pipeline = config.train_dataloader.dataset.pipeline
    config.train_dataloader.dataset.pipeline = [*pipeline[:4], pipeline[5]]
    config.custom_hooks = [dict(type='DeviceAugmentationHook')]
    with pytest.raises(
        ValueError, match=r"takes over .* is \['LoadReIDImage', 'Resize'"
    ):
        Runner.from_cfg(config).train()
    config.train_dataloader.dataset.pipeline = pipeline
    pipeline[2].direction = 'vertical'
    config.experiment_name += '_vertical'
    with pytest.raises(ValueError, match='RandomFlip flips vertical, not horiz'):
        Runner.from_cfg(config).train()
