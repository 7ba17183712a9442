"""Settings of how the network of a run is computed."""

from contextlib import AbstractContextManager

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from mmreid_cc.models.computation import dtype_of, fixed_weights, prepare_computation
from mmreid_cc.registry import HOOKS

from ..extraction import unwrapped


@HOOKS.register_module()
class ComputationHook(Hook):
    """Let a network compute fast on the device, see :func:`prepare_computation`.

    Results are the same up to rounding; shapes and checkpoints do not change. Under a
    wrapper for distributed training other than ``DistributedDataParallel``, the weights
    keep their memory layout.

    Args:
        channels_last (bool, optional): Keep the channels innermost in memory. Defaults
            to None: do so if the network is convolutional.
        inference_dtype (str, optional): Precision of backbone and neck in extraction
            and tests: ``'bfloat16'`` or ``'float16'``. Defaults to None: that of the
            weights.

    Raises:
        ValueError: If there is no such precision.

    Examples:
        .. code:: python

            default_hooks = dict(
                computation=dict(type='ComputationHook', inference_dtype='bfloat16'))
    """

    priority = 'VERY_HIGH'  # before other hooks take hold of the model

    def __init__(
        self, channels_last: bool | None = None, inference_dtype: str | None = None
    ) -> None:
        self.channels_last = channels_last
        self.inference_dtype = dtype_of(inference_dtype)
        self.evaluation: AbstractContextManager[None] | None = None

    def before_run(self, runner: Runner) -> None:
        """Prepare the model."""
        model = unwrapped(runner.model)
        if isinstance(runner.model, DistributedDataParallel):
            # With weights whose strides change after it was made, it computes wrong
            # gradients (torch 2.14), so it is created again.
            prepare_computation(model, self.channels_last, self.inference_dtype)
            runner.model = runner.wrap_model(runner.cfg.get('model_wrapper_cfg'), model)
        elif is_model_wrapper(runner.model):
            prepare_computation(model, False, self.inference_dtype)
        else:
            prepare_computation(model, self.channels_last, self.inference_dtype)

    def before_train(self, runner: Runner) -> None:
        """Lay out the moments of a resumed optimizer as the weights.

        They have the layout of the run that saved them, and the fused Adam reads both
        in the order of memory.
        """
        wrapper = runner.optim_wrapper
        wrappers = (
            wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]
        )
        for each in wrappers:
            for weight, state in each.optimizer.state.items():
                for name, value in state.items():
                    if isinstance(value, Tensor) and value.shape == weight.shape:
                        state[name] = torch.empty_like(weight, dtype=value.dtype)
                        state[name].copy_(value)

    def before_val_epoch(self, runner: Runner) -> None:
        """Use folded layers from now on."""
        self.evaluation = fixed_weights(unwrapped(runner.model))
        self.evaluation.__enter__()

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Use the layers of the model again."""
        if self.evaluation is not None:
            self.evaluation.__exit__(None, None, None)
            self.evaluation = None

    before_test_epoch = before_val_epoch
    after_test_epoch = after_val_epoch
