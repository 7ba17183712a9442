"""Labels of the images of all processes in a step, known without an exchange."""

from collections.abc import Iterator
from copy import copy

import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner
from torch import Tensor

from mmreid_cc.datasets.samplers import RandomMultipleGallerySampler
from mmreid_cc.models import BaseMemory
from mmreid_cc.registry import HOOKS

from ..accumulation import accumulated_batches
from ..extraction import unwrapped


@HOOKS.register_module()
class StepSlotsHook(Hook):
    """Tell the memory of each process the labels of all, instead of an exchange.

    The queries of all processes move the vectors of the memory, in an order that is
    planned on the CPU. Each process would therefore have to wait for its GPU until the
    labels of the others arrive. But every process draws the batch of all of them and
    takes its part, so here each process draws that batch once more as a whole. In a
    single process, or with another sampler, nothing is done.

    Examples:
        .. code:: python

            default_hooks = dict(step_slots=dict(type='StepSlotsHook'))
    """

    priority = 'VERY_LOW'  # when labels and epoch of the sampler are set

    def __init__(self) -> None:
        self.batches: Iterator[Tensor] | None = None
        self.batches_per_step = 1

    def before_train_epoch(self, runner: Runner) -> None:
        """Start drawing the batches of the epoch."""
        sampler = runner.train_dataloader.sampler
        known = isinstance(sampler, RandomMultipleGallerySampler)
        if get_world_size() > 1 and known and memory_if_any(runner) is not None:
            self.batches = batches_of_all(sampler)
            self.batches_per_step = accumulated_batches(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None
    ) -> None:
        """Look up the vectors of the images of a step."""
        memory = memory_if_any(runner)
        if self.batches is None or memory is None:
            return
        if runner.iter % self.batches_per_step == 0:
            memory.step_slots = memory.slots_of(next(self.batches))

    def after_train_epoch(self, runner: Runner) -> None:
        """Forget the labels of the last step."""
        memory = memory_if_any(runner)
        if memory is not None:
            memory.step_slots = None
        self.batches = None


def batches_of_all(sampler: RandomMultipleGallerySampler) -> Iterator[Tensor]:
    """Draw what a sampler will draw for all processes in its next epoch.

    Args:
        sampler (RandomMultipleGallerySampler): A sampler before its epoch; it is not
            changed.

    Yields:
        Tensor: Indices of the images of a step, in the order of the ranks; int64, on
        the CPU.
    """
    whole = copy(sampler)
    whole.rank, whole.world_size = 0, 1
    indices = iter(whole)
    for first in indices:
        rest = (next(indices) for _ in range(whole.batch_size - 1))
        yield torch.tensor([first, *rest])


def memory_if_any(runner: Runner) -> BaseMemory | None:
    """Return the memory of the model, if it has one.

    Args:
        runner (Runner): Runner of the run.

    Returns:
        BaseMemory | None: The memory; None if there is none.
    """
    head = getattr(unwrapped(runner.model), 'head', None)
    memory = getattr(head, 'memory', None)
    return memory if isinstance(memory, BaseMemory) else None
