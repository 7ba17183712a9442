"""Mixed precision that also works without a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import autocast
from torch import nn

from mmreid_cc.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Compute the network in bfloat16, where PyTorch's autocast finds it safe.

    MMEngine's ``AmpOptimWrapper`` needs a GPU, and this wrapper does not. Because
    bfloat16 has the range of float32, the loss is not scaled. Weights, memory and loss
    stay float32.

    Examples:
        .. code:: python

            optim_wrapper = dict(
                type='BFloat16OptimWrapper', optimizer=dict(type='Adam', lr=3.5e-4))
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run a forward pass under autocast.

        Args:
            model (nn.Module): The model, wrapped for distributed training or not.

        Yields:
            None: Nothing.
        """
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield
