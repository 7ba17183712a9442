"""A context in which batch norm layers compute something else in training."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class ReplacedBatchNorm(TorchFunctionMode, ABC):
    """Base class of contexts that replace batch norm in training.

    Every call of ``torch.nn.functional.batch_norm`` is replaced, so no layer has to be
    exchanged.
    """

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
        """Compute ``torch.nn.functional.batch_norm``, in training the replacement.

        Args:
            inputs (Tensor): Shape (B, C, …).
            running_mean (Tensor | None): Shape (C,), moved in place in training.
            running_var (Tensor | None): The same.
            weight (Tensor | None): Shape (C,).
            bias (Tensor | None): Shape (C,).
            training (bool): Whether to normalise by the batch.
            momentum (float): Weight of the batch in the running statistics.
            eps (float): Added to the variance.

        Returns:
            Tensor: Shape (B, C, …).
        """
        statistics = running_mean, running_var
        if training:
            return self.normalize(inputs, *statistics, weight, bias, momentum, eps)
        return F.batch_norm(inputs, *statistics, weight, bias, False, momentum, eps)

    @abstractmethod
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
        """Normalise a batch in training, see :meth:`batch_norm`."""
