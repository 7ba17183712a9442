"""Batch norm over groups of a batch that passes through a network as a whole."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .replaced_batch_norm import ReplacedBatchNorm


class GroupedBatchNorm(ReplacedBatchNorm):
    """Within this context batch norm layers in training normalise group by group.

    Convolutions see the whole batch, which a large GPU needs to be busy. The first
    group moves the running statistics.

    Args:
        samples_per_bn (int): Images in a group; it must divide the batch.

    Example:
        >>> with GroupedBatchNorm(64):
        ...     features = network(images)
    """

    def __init__(self, samples_per_bn: int) -> None:
        super().__init__()
        self.samples_per_bn = samples_per_bn

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
        """Normalise each group, see :meth:`ReplacedBatchNorm.batch_norm`."""
        parameters = (weight, bias, True, momentum, eps)
        first, *others = inputs.split(self.samples_per_bn)
        outputs = [F.batch_norm(first, running_mean, running_var, *parameters)]
        outputs += [F.batch_norm(group, None, None, *parameters) for group in others]
        return torch.cat(outputs)
