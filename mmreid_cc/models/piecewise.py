"""Computation of a batch in pieces."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten


def in_pieces(function: Callable[[Tensor], Any], inputs: Tensor, size: int) -> Any:
    """Call a function with one piece of a batch after the other.

    Args:
        function (Callable): From a tensor (B, …) to tensors (B, …), or to tuples, lists
            or dicts of them.
        inputs (Tensor): Shape (N, …).
        size (int): B of each piece but the last.

    Returns:
        Any: What the function returns for the whole batch, if its rows do not depend on
        each other.

    Example:
        >>> in_pieces(torch.sin, torch.zeros(5, 3), size=2).shape
        torch.Size([5, 3])
    """
    return joined([function(piece) for piece in inputs.split(size)])


def joined(outputs: list[Any]) -> Any:
    """Join what a function returned for the pieces of a batch.

    Args:
        outputs (list): At least one: tensors (B, …), or tuples, lists or dicts of them,
            all of one structure.

    Returns:
        Any: The same structure, with tensors (N, …).
    """
    if len(outputs) == 1:
        return outputs[0]
    leaves, structure = zip(*map(tree_flatten, outputs), strict=True)
    tensors = [torch.cat(parts) for parts in zip(*leaves, strict=True)]
    return tree_unflatten(tensors, structure[0])
