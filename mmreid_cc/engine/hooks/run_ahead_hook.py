"""Iterations that do not wait for the GPU."""

from mmengine.hooks import RuntimeInfoHook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner
from torch import Tensor

from mmreid_cc.registry import HOOKS

from .. import delayed_losses
from ..delayed_losses import LateNumbers
from ..extraction import unwrapped


@HOOKS.register_module()
class RunAheadHook(RuntimeInfoHook):
    """Replace MMEngine's ``RuntimeInfoHook`` by one that does not wait for the GPU.

    MMEngine's hook reads the losses for the log at the end of every iteration, so the
    GPU has nothing queued when it has computed them. Here the log gets them one
    iteration later. Batches are copied to the GPU without waiting for the copy; they
    must be in pinned memory (``pin_memory=True`` of the loader). On a CPU nothing
    changes.

    Examples:
        .. code:: python

            default_hooks = dict(runtime_info=dict(type='RunAheadHook'))
    """

    def __init__(self) -> None:
        self.waiting: LateNumbers | None = None

    def before_train(self, runner: Runner) -> None:
        """Queue the copies of batches instead of waiting for them."""
        super().before_train(runner)
        # MMEngine has this switch, but mmpretrain's preprocessor no argument for it.
        unwrapped(runner.model).data_preprocessor._non_blocking = True

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        """Pass on the losses of the iteration before."""
        if outputs is None or not delayed_losses.any_on_gpu(outputs):
            super().after_train_iter(runner, batch_idx, data_batch, outputs)
            return
        before, self.waiting = self.waiting, LateNumbers(outputs)
        if before is not None:
            super().after_train_iter(runner, batch_idx, None, before.read())

    def after_train_epoch(self, runner: Runner) -> None:
        """Pass on the losses of the last iteration."""
        if self.waiting is not None:
            super().after_train_iter(runner, 0, None, self.waiting.read())
            self.waiting = None
