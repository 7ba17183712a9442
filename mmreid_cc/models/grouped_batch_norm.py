"""Batch norm over groups of a batch that passes through a network as a whole."""

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class GroupedBatchNorm(TorchFunctionMode):
    """Within this context batch norm layers in training normalise group by group.

    Every call of ``torch.nn.functional.batch_norm`` is replaced, so no layer has to be
    exchanged. Convolutions see the whole batch, which a large GPU needs to be busy.

    Args:
        samples_per_bn (int): Images in a group; it must divide the batch.

    Example:
        >>> with GroupedBatchNorm(64):
        ...     features = network(images)
    """

    def __init__(self, samples_per_bn: int) -> None:
        super().__init__()
        self.samples_per_bn = samples_per_bn

    def __torch_function__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> Any:
        """Replace one function, and call all others."""
        if func is F.batch_norm:
            return self.batch_norm(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def batch_norm(
        self,
        inputs: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        """As ``torch.nn.functional.batch_norm``, in training group by group.

        Args:
            inputs (Tensor): Shape (N, C, …).
            running_mean (Tensor | None): Shape (C,), moved in place in training by the
                first group.
            running_var (Tensor | None): Of the same kind.
            weight (Tensor | None): Shape (C,).
            bias (Tensor | None): Shape (C,).
            training (bool): Whether to normalise by the groups.
            momentum (float): Weight of the group in the running statistics.
            eps (float): Added to the variance.

        Returns:
            Tensor: Shape (N, C, …).
        """
        parameters = (weight, bias, training, momentum, eps)
        if not training:
            return F.batch_norm(inputs, running_mean, running_var, *parameters)
        first, *others = inputs.split(self.samples_per_bn)
        outputs = [F.batch_norm(first, running_mean, running_var, *parameters)]
        outputs += [F.batch_norm(group, None, None, *parameters) for group in others]
        return torch.cat(outputs)
