"""Keep what a process computed, for a comparison of runs."""

from pathlib import Path

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmreid_cc.registry import HOOKS


@HOOKS.register_module()
class RecordHook(Hook):
    """Write losses, labels, centroids and weights of each process to the work_dir."""

    def __init__(self):
        self.record = {'losses': [], 'labels': [], 'centroids': []}

    def before_train_epoch(self, runner):
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.model = model
        self.record['labels'].append(model.head.memory.labels.clone())
        if runner.epoch == 0:
            self.record['initial'] = {
                k: v.clone() for k, v in model.state_dict().items()
            }

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.record['losses'].append(outputs['loss'].item())

    def after_train_epoch(self, runner):
        self.record['centroids'].append(self.model.head.memory.centroids.clone())

    def after_train(self, runner):
        self.record['weights'] = self.model.state_dict()
        torch.save(self.record, Path(runner.work_dir) / f'rank_{get_rank()}.pt')
