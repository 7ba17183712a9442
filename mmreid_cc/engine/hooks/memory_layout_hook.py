"""Lay out a network so that the device computes it fast."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_cc.models.memory_format import lay_out
from mmreid_cc.registry import HOOKS

from ..extraction import unwrapped


@HOOKS.register_module()
class MemoryLayoutHook(Hook):
    """Lay out a network for the device before anything runs, see :func:`lay_out`.

    Results are the same but for rounding; shapes and checkpoints do not change. With
    several processes PyTorch warns of strides in the first iteration, after which it
    has laid out its buffers anew.

    Args:
        channels_last (bool, optional): Keep the channels innermost in memory. Defaults
            to None: if the network is convolutional.

    Examples:
        .. code:: python

            default_hooks = dict(
                memory_layout=dict(type='MemoryLayoutHook', channels_last=False))
    """

    def __init__(self, channels_last: bool | None = None) -> None:
        self.channels_last = channels_last

    def before_run(self, runner: Runner) -> None:
        """Change the layout."""
        lay_out(unwrapped(runner.model), self.channels_last)
