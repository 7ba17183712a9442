"""Batch norm over groups of as many images as a GPU of the reference has."""

from typing import Any

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner
from torch.distributed import new_subgroups

from mmreid_cc.models.batch_norm_groups import BatchNormGroups, group_batch_norm
from mmreid_cc.registry import HOOKS

from ..accumulation import accumulated_batches
from ..extraction import broadcast_statistics, teacher_of, unwrapped


@HOOKS.register_module()
class BatchNormGroupsHook(Hook):
    """Normalise over contiguous groups of images, see :func:`group_batch_norm`.

    The results then do not depend on the number of processes. Each gets whole groups,
    or several neighbouring processes share every group. Running statistics follow the
    first group of an iteration, also where its gradient is accumulated over several
    batches; after an epoch all processes get those of the main one.

    Args:
        samples_per_bn (int, optional): Images in a group, where views count as images
            (:class:`MultiViewClassifier`); a smaller batch (of all processes together)
            is one group. The reference has 64: 256 images on 4 GPUs. None: each process
            normalises over its part of the batch.

    Raises:
        ValueError: If ``samples_per_bn`` is not positive, or neither divides the batch
            of a process nor is made up by those of several; or if the network has batch
            norm layers that groups do not pass through.

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
        self.groups: list[BatchNormGroups] = []

    def before_train(self, runner: Runner) -> None:
        """Let the model, and its teacher if it has one, normalise group by group."""
        if self.samples_per_bn is None:
            return
        self.batches_per_step = accumulated_batches(runner)
        views = getattr(unwrapped(runner.model), 'num_views', 1)
        batch_size = runner.train_dataloader.batch_size * views
        group = min(
            self.samples_per_bn,
            batch_size * self.batches_per_step * get_world_size(),
        )
        processes = group // batch_size
        if batch_size % group == 0:
            size, together = group, None
        elif (
            group % batch_size == 0
            and get_world_size() % processes == 0
            and self.batches_per_step == 1
        ):
            size, together = batch_size, new_subgroups(processes)[0]
        else:
            raise ValueError(
                '`default_hooks.batch_norm_groups.samples_per_bn` is '
                f'{self.samples_per_bn}, but a process gets {batch_size} images at a '
                f'time, which cannot be divided into groups of {group}. Several '
                'processes cannot share a group either: their images do not add up to '
                'whole groups, or gradients are accumulated. Change the number of '
                'processes or the accumulation, or set `samples_per_bn` to a divisor '
                f'of {batch_size}; this is another recipe, but the same on any number '
                'of processes.'
            )
        self.groups = [
            group_batch_norm(network, size, together) for network in networks(runner)
        ]

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None
    ) -> None:
        """Let only the first batch of a step move the running statistics."""
        for groups in self.groups:
            groups.tracks = runner.iter % self.batches_per_step == 0

    def after_train_epoch(self, runner: Runner) -> None:
        """Validate and save the same running statistics in all processes."""
        for network in networks(runner):
            broadcast_statistics(network)

    def after_train(self, runner: Runner) -> None:
        """Let the layers track running statistics as usual again."""
        for groups in self.groups:
            groups.end()


def networks(runner: Runner) -> list[Any]:
    """Return the network that is trained, and its teacher if it has one.

    Args:
        runner (Runner): Runner of the run.

    Returns:
        list[nn.Module]: One or two networks.
    """
    model = unwrapped(runner.model)
    teacher = teacher_of(model)
    return [model] if teacher is None else [model, teacher]
