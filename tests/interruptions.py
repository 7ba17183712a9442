"""Die at a given point of a training."""

import multiprocessing
import os
import signal
from pathlib import Path

from mmengine.dist import get_rank
from mmengine.hooks import Hook

import mmreid_cc.engine.hooks.cluster_memory_hook as clustering
from mmreid_cc.engine.hooks import atomic_checkpoint_hook
from mmreid_cc.registry import HOOKS


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class KillHook(Hook):
    """Kill the process in an epoch (counted from 1), at the point that is named.

    Of several processes, only the one of ``rank``.
    """

    priority = 'VERY_HIGH'

    def __init__(self, point, epoch, rank=0):
        self.point = point if rank == get_rank() else None
        self.epoch = epoch

    def before_train_epoch(self, runner):
        if runner.epoch + 1 != self.epoch:
            return
        if self.point == 'extraction':
            runner.model.backbone.register_forward_hook(die)
        elif self.point == 'clustering':
            clustering.pseudo_labels = die
        elif self.point == 'checkpoint':
            atomic_checkpoint_hook.Path.replace = die  # written in part, not renamed

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.epoch + 1 == self.epoch and batch_idx == 1:
            if self.point == 'iteration':
                die()
            elif self.point == 'half a file':
                # As a writer that is not atomic would leave it.
                path = Path(runner.work_dir) / f'epoch_{self.epoch}.pth'
                newest = Path(runner.work_dir) / f'epoch_{self.epoch - 1}.pth'
                path.write_bytes(newest.read_bytes()[:5000])
                die()


@HOOKS.register_module()
class KillWorkerHook(Hook):
    """Kill a process that loads images, as the system does when memory runs out."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 4:
            newest = max(worker.pid for worker in multiprocessing.active_children())
            os.kill(newest, signal.SIGKILL)
