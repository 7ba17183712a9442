"""Make batch norm see as many images at a time as on the GPUs of the reference."""

from typing import Any

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmreid_cc.models.batch_norm_groups import group_batch_norm
from mmreid_cc.registry import HOOKS

from ..accumulation import accumulated_batches
from ..extraction import broadcast_statistics


@HOOKS.register_module()
class BatchNormGroupsHook(Hook):
    """Normalise over contiguous groups of images, see :func:`group_batch_norm`.

    The results then do not depend on the number of processes, as long as each gets
    whole groups. Running statistics follow the first group of an iteration, also where
    its gradient is accumulated over several batches; after an epoch all processes get
    those of the main one.

    Args:
        samples_per_bn (int, optional): Images in a group; a smaller batch (of all
            processes together) is one group. 64 in the reference: 256 on 4 GPUs. None:
            each process normalises over whatever it gets.

    Raises:
        ValueError: If ``samples_per_bn`` is not positive, or does not divide the batch
            of a process.

    Examples:
        .. code:: python

            default_hooks = dict(
                batch_norm_groups=dict(type='BatchNormGroupsHook', samples_per_bn=64))
    """

    def __init__(self, samples_per_bn: int | None) -> None:
        if samples_per_bn is not None and samples_per_bn < 1:
            raise ValueError(
                'BatchNormGroupsHook: samples_per_bn must be positive or None, not '
                f'{samples_per_bn}'
            )
        self.samples_per_bn = samples_per_bn
        self.layers: list[Any] = []

    def before_train(self, runner: Runner) -> None:
        """Change the layers of the model."""
        if self.samples_per_bn is None:
            return
        self.batches_per_step = accumulated_batches(runner)
        batch_size = runner.train_dataloader.batch_size
        together = batch_size * self.batches_per_step * get_world_size()
        group = min(self.samples_per_bn, together)
        if batch_size % group:
            raise ValueError(
                '`default_hooks.batch_norm_groups.samples_per_bn` is '
                f'{self.samples_per_bn}, but a process gets {batch_size} images at a '
                f'time, which are no groups of {group}. Take fewer processes, or less '
                'accumulation of gradients, or set `samples_per_bn` to a divisor: '
                'another recipe, but the same on any number of processes.'
            )
        self.layers = group_batch_norm(runner.model, group)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None
    ) -> None:
        """Let the first of the batches of a step move the running statistics."""
        for layer in self.layers:
            layer.tracks = runner.iter % self.batches_per_step == 0

    def after_train_epoch(self, runner: Runner) -> None:
        """Validate and save the same running statistics in all processes."""
        model = runner.model
        broadcast_statistics(model.module if is_model_wrapper(model) else model)
