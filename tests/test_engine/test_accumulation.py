"""A batch in parts is the batch."""

import copy

import pytest
import torch
from double_precision import double
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

from mmreid_cc.engine.launch import share_batch


def trained(config, parts, **optim_wrapper):
    config = copy.deepcopy(config)
    config.work_dir += f'_{parts}'
    config.experiment_name += f'_{parts}'
    config.default_hooks.batch_norm_groups.samples_per_bn = 4
    config.optim_wrapper.update(optim_wrapper)
    config.launcher = 'none'
    share_batch(config)
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


def test_parts_equal_the_whole(tiny_config):
    """Weights, running statistics and centroids after 6 steps of 16 images."""
    double(tiny_config)
    whole = trained(tiny_config, 1)
    for parts in (2, 4):
        runner = trained(tiny_config, parts, accumulative_counts=parts)
        assert runner.train_dataloader.batch_size == 16 // parts
        assert runner.iter == 6 * parts
        model, expected = runner.model, whole.model
        for name, value in model.state_dict().items():
            wanted = expected.state_dict()[name]
            torch.testing.assert_close(value, wanted, atol=1e-10, rtol=1e-8)
        memory, wanted = model.head.memory, expected.head.memory
        assert torch.equal(memory.labels, wanted.labels)
        torch.testing.assert_close(memory.centroids, wanted.centroids)


def test_parts_that_do_not_fit(tiny_config):
    with pytest.raises(ValueError, match=r'1 process\(es\), in 3 part\(s\) each'):
        trained(tiny_config, 3, accumulative_counts=3)
    tiny_config.optim_wrapper.accumulative_counts = 2
    tiny_config.train_dataloader.batch_size = 16
    with pytest.raises(ValueError, match='set it to 16 / 2'):
        Runner.from_cfg(tiny_config).train()


def test_no_checkpoint_between_parts(tiny_config):
    checkpoint = dict(type='AtomicCheckpointHook', by_epoch=False, interval=3)
    tiny_config.default_hooks.checkpoint = checkpoint
    with pytest.raises(RuntimeError, match='interval` a multiple of'):
        trained(tiny_config, 2, accumulative_counts=2)


def test_several_optimizers(tiny_config):
    runner = Runner.from_cfg(tiny_config)
    optimizer = torch.optim.SGD(runner.model.parameters(), lr=0.1)
    runner.optim_wrapper = OptimWrapperDict(all=OptimWrapper(optimizer))
    runner.param_schedulers = None
    with pytest.raises(ValueError, match='here are 1'):
        runner.train()
