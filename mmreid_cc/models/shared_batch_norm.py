"""Batch norm over the images of several processes."""

import torch
from torch import Tensor, distributed
from torch.distributed.nn.functional import all_reduce
from torch.nn.modules._functions import SyncBatchNorm

from .replaced_batch_norm import ReplacedBatchNorm


class SharedBatchNorm(ReplacedBatchNorm):
    """Within this context batch norm layers in training normalise over processes.

    Every call of ``torch.nn.functional.batch_norm`` is replaced, so no layer has to be
    exchanged. All processes must run the same layers in the same order, with equally
    many images each. On a GPU, the kernels of PyTorch's ``SyncBatchNorm`` compute it;
    these do not work on a CPU, where means and variances are reduced.

    Args:
        processes (ProcessGroup): Processes that normalise together.

    Example:
        >>> with SharedBatchNorm(torch.distributed.group.WORLD):
        ...     features = network(images)
    """

    def __init__(self, processes: distributed.ProcessGroup) -> None:
        super().__init__()
        self.processes = processes

    def normalize(
        self,
        inputs: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        momentum: float,
        eps: float,
    ) -> Tensor:
        """Normalise over all processes, see :meth:`ReplacedBatchNorm.batch_norm`."""
        size = distributed.get_world_size(self.processes)
        channels = inputs.shape[1]
        weight = inputs.new_ones(channels) if weight is None else weight
        bias = inputs.new_zeros(channels) if bias is None else bias
        if inputs.is_cuda:
            return SyncBatchNorm.apply(
                inputs,
                weight,
                bias,
                running_mean,
                running_var,
                eps,
                momentum,
                self.processes,
                size,
            )
        exact = inputs.float() if inputs.dtype in _HALVES else inputs
        others = [0, *range(2, inputs.ndim)]
        mean = all_reduce(exact.mean(others), group=self.processes) / size
        shape = (1, channels) + (1,) * (inputs.ndim - 2)
        centered = exact - mean.view(shape)
        variance = all_reduce(centered.square().mean(others), group=self.processes)
        variance = variance / size
        if running_mean is not None and running_var is not None:
            count = inputs.numel() // channels * size
            with torch.no_grad():
                running_mean.lerp_(mean.to(running_mean.dtype), momentum)
                unbiased = variance * (count / (count - 1))
                running_var.lerp_(unbiased.to(running_var.dtype), momentum)
        scale = weight * (variance + eps).rsqrt()
        normalized = centered * scale.view(shape) + bias.view(shape)
        return normalized.to(inputs.dtype)


_HALVES = (torch.float16, torch.bfloat16)
