"""Processes that load images: they end with the run, or an error says what to do."""

import multiprocessing
import re
import signal
import time

import pytest
from tool_runs import run_tool

from mmreid_cc.engine.loader_processes import explained_dead_workers, no_workers_left

WHAT_TO_DO = (
    r'A process that loads images has ended.*'
    r'memory ran out .* /dev/shm .* `num_workers` .* --resume'
)


@pytest.mark.parametrize('persistent', [False, True])
def test_a_killed_worker(tiny_config, tmp_path, persistent):
    """In a process of its own: PyTorch raises wherever the program is."""
    tiny_config.train_dataloader.update(num_workers=2, persistent_workers=persistent)
    tiny_config.train_dataloader.sampler.iters_per_epoch = 30
    tiny_config.custom_hooks = [dict(type='KillWorkerHook')]
    config = tmp_path / 'killed.py'
    imports = "custom_imports = dict(imports=['tiny_backbone', 'interruptions'])\n"
    config.write_text(imports + tiny_config.pretty_text)
    status, printed = run_tool('train.py', config, cwd=tmp_path)
    assert status == 1
    assert re.search(WHAT_TO_DO, printed), printed[-3000:]


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


def test_a_connection_that_breaks():
    """As when a worker is killed while it hands over a batch."""
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    with pytest.raises(RuntimeError, match=WHAT_TO_DO), explained_dead_workers():
        ours.recv()
    with pytest.raises(ConnectionError), explained_dead_workers():
        raise ConnectionError('of something else')


def test_other_errors_are_left_as_they_are():
    error = RuntimeError('CUDA out of memory')
    with pytest.raises(RuntimeError) as caught, explained_dead_workers():
        raise error
    assert caught.value is error


@pytest.mark.parametrize('error', [None, KeyboardInterrupt])
def test_workers_end_with_the_run(error):
    """None is waited for, so that PyTorch's five seconds for each are not spent."""
    workers = [
        multiprocessing.Process(target=time.sleep, args=(600,)) for _ in range(2)
    ]
    try:
        with no_workers_left():
            for worker in workers:
                worker.start()
            if error is not None:
                raise error
    except KeyboardInterrupt:
        assert error is KeyboardInterrupt
    for worker in workers:
        worker.join(timeout=30)
        assert worker.exitcode == -signal.SIGTERM
