"""Lay out a network so that the device computes it fast."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch.nn.parallel import DistributedDataParallel

from mmreid_cc.models.memory_format import lay_out
from mmreid_cc.registry import HOOKS

from ..extraction import unwrapped


@HOOKS.register_module()
class MemoryLayoutHook(Hook):
    """Lay out a network for the device before anything runs, see :func:`lay_out`.

    Results are the same but for rounding; shapes and checkpoints do not change. Under a
    wrapper for distributed training other than ``DistributedDataParallel`` weights stay
    as they are.

    Args:
        channels_last (bool, optional): Keep the channels innermost in memory. Defaults
            to None: if the network is convolutional.

    Examples:
        .. code:: python

            default_hooks = dict(
                memory_layout=dict(type='MemoryLayoutHook', channels_last=False))
    """

    priority = 'VERY_HIGH'  # before other hooks take hold of the model

    def __init__(self, channels_last: bool | None = None) -> None:
        self.channels_last = channels_last

    def before_run(self, runner: Runner) -> None:
        """Change the layout."""
        model = unwrapped(runner.model)
        if isinstance(runner.model, DistributedDataParallel):
            # With weights whose strides change after it was made, it computes wrong
            # gradients (torch 2.14), so it is made anew.
            lay_out(model, self.channels_last)
            runner.model = runner.wrap_model(runner.cfg.get('model_wrapper_cfg'), model)
        elif is_model_wrapper(runner.model):
            lay_out(model, channels_last=False)
        else:
            lay_out(model, self.channels_last)
