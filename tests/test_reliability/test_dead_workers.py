"""A process that loads images is killed: an error that says why and what to do."""

import multiprocessing
import os
import signal

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_cc.engine.dead_workers import explained_dead_workers
from mmreid_cc.registry import HOOKS

WHAT_TO_DO = (
    r'DataLoader worker \(pid.*want of memory .* /dev/shm .* `num_workers` .* --resume'
)


@HOOKS.register_module()
class KillWorker(Hook):
    """Do what the system does when memory runs out.

    To one of them: PyTorch raises for each loader, at once, wherever the program is.
    """

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 4:
            newest = max(worker.pid for worker in multiprocessing.active_children())
            os.kill(newest, signal.SIGKILL)


@pytest.mark.parametrize('persistent', [False, True])
def test_a_killed_worker(tiny_config, persistent):
    tiny_config.train_dataloader.update(num_workers=2, persistent_workers=persistent)
    tiny_config.train_dataloader.sampler.iters_per_epoch = 30
    tiny_config.custom_hooks = [dict(type='KillWorker')]
    runner = Runner.from_cfg(tiny_config)
    with pytest.raises(RuntimeError, match=WHAT_TO_DO), explained_dead_workers():
        runner.train()


@pytest.mark.parametrize(
    'message',
    [
        'DataLoader worker (pid 123) is killed by signal: Bus error. ',
        'DataLoader worker (pid(s) 123, 456) exited unexpectedly',
        'DataLoader worker (pid 1) exited unexpectedly with exit code 1. Details ...',
    ],
)
def test_what_pytorch_says(message):
    with pytest.raises(RuntimeError, match=WHAT_TO_DO), explained_dead_workers():
        raise RuntimeError(message)


def test_other_errors_are_left_as_they_are():
    error = RuntimeError('CUDA out of memory')
    with pytest.raises(RuntimeError) as caught, explained_dead_workers():
        raise error
    assert caught.value is error
