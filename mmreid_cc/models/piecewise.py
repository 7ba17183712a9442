"""Let a network see a batch piece by piece."""

from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

IMAGES_PER_PIECE = 32
"""Of a test on a CPU, whose cache holds the maps of so many images."""


def see_in_pieces(model: Any) -> None:
    """Let backbone and neck of a classifier take a batch in pieces.

    In training these are the groups of
    :func:`~mmreid_cc.models.batch_norm_groups.group_batch_norm`, where it was called.
    Without gradients, on a CPU, they are :data:`IMAGES_PER_PIECE` images. Otherwise the
    batch is passed on as a whole. The features are in each case those of the batch.

    Args:
        model (nn.Module): Changed in place: its method ``extract_feat``, which
            ``mmpretrain.ImageClassifier`` has. A model without it stays as it is.

    Example:
        >>> see_in_pieces(model)
        >>> with torch.no_grad():
        ...     model.eval()(torch.rand(256, 3, 256, 128)).shape
        torch.Size([256, 2048])
    """
    if hasattr(model, 'extract_feat'):
        # A bound method follows its model into a deep copy, e.g. a moving average.
        model.extract_feat = MethodType(_extract_feat, model)


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
        Any: Of the same structure, with tensors (N, …).
    """
    if len(outputs) == 1:
        return outputs[0]
    leaves, structure = zip(*map(tree_flatten, outputs), strict=True)
    return tree_unflatten(
        [torch.cat(p) for p in zip(*leaves, strict=True)], structure[0]
    )


def _extract_feat(self: Any, inputs: Tensor, stage: str = 'neck') -> Any:
    extract = partial(type(self).extract_feat, self, stage=stage)
    if self.training:
        groups = getattr(self, 'batch_norm_groups', None)
        return groups(extract, inputs) if groups else extract(inputs)
    if inputs.device.type == 'cpu' and not torch.is_grad_enabled():
        return in_pieces(extract, inputs, IMAGES_PER_PIECE)
    return extract(inputs)
