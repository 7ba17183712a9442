"""Settings of how a network is computed: memory layout, pieces, precision."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from .folding import folded_batch_norm
from .in_place import infer_in_place, train_out_of_place
from .piecewise import in_pieces

IMAGES_PER_PIECE = 32
"""The batch size without gradients on a CPU, whose cache holds the feature maps of so
many images."""


def prepare_computation(
    model: Any,
    channels_last: bool | None = None,
    inference_dtype: torch.dtype | None = None,
) -> None:
    """Prepare a classifier for fast computation on the device.

    - Weights and maps of a convolutional network lie with the channels innermost,
      (N, H, W, C).
    - In training, batch norm layers normalise the groups of
      :func:`~mmreid_cc.models.batch_norm_groups.group_batch_norm`, where it was called.
      Activations keep their input where the gradient needs it, instead of a copy.
    - Without gradients on a CPU it passes in pieces of :data:`IMAGES_PER_PIECE` images,
      whose maps fit the cache; on a GPU as a whole.

    The results are the same up to rounding.

    Args:
        model (nn.Module): Changed in place. Pieces and precision are those of its
            method ``extract_feat``, which ``mmpretrain.ImageClassifier`` has.
        channels_last (bool, optional): Whether the channels lie innermost. Defaults to
            None: as :func:`prefers_channels_last` says.
        inference_dtype (torch.dtype, optional): Precision of backbone and neck without
            gradients, e.g. ``torch.bfloat16``; features stay float32. Defaults to None:
            that of the weights.

    Example:
        >>> prepare_computation(model)
        >>> model.backbone.conv1.weight.is_contiguous(memory_format=torch.channels_last)
        True
    """
    if channels_last is None:
        channels_last = prefers_channels_last(model)
    if channels_last:
        for weights in (*model.parameters(), *model.buffers()):
            if weights.ndim == 4:  # a layout of images, not of videos
                weights.data = weights.data.to(memory_format=torch.channels_last)
    train_out_of_place(model)
    model.inference_dtype = inference_dtype
    compute_piecewise(model)


def dtype_of(name: str | None) -> torch.dtype | None:
    """Return the precision of a name.

    Args:
        name (str | None): ``'bfloat16'``, ``'float16'`` or None.

    Returns:
        torch.dtype | None: None for None.

    Raises:
        ValueError: If it is none of these.
    """
    precisions = {None: None, 'bfloat16': torch.bfloat16, 'float16': torch.float16}
    if name not in precisions:
        raise ValueError(
            '`default_hooks.computation.inference_dtype` must be None, "bfloat16" or '
            f'"float16", not {name!r}.'
        )
    return precisions[name]


def prefers_channels_last(model: nn.Module) -> bool:
    """Return whether a network computes faster with the channels innermost.

    Those made of convolutions do, on a CPU by up to a half (``docs/backbones.md`` has
    the figures of 29). A transformer, whose only convolutions embed the patches, gains
    nothing.

    Args:
        model (nn.Module): A network.

    Returns:
        bool: True if convolutions are more than linear layers.

    Example:
        >>> prefers_channels_last(nn.Conv2d(3, 8, 3))
        True
    """
    kinds = [type(module) for module in model.modules()]
    convolutions = sum(issubclass(kind, nn.Conv2d) for kind in kinds)
    return convolutions > sum(issubclass(kind, nn.Linear) for kind in kinds)


def compute_piecewise(model: Any) -> None:
    """Make a classifier pass batches through backbone and neck in pieces.

    Args:
        model (nn.Module): Changed in place, if it has a method ``extract_feat``.
    """
    if hasattr(model, 'extract_feat'):
        # A bound method follows its model into a deep copy, e.g. a moving average.
        model.extract_feat = MethodType(_extract_feat, model)


@contextmanager
def fixed_weights(model: Any) -> Iterator[None]:
    """Compute without gradients by folded layers, while weights do not change.

    Args:
        model (nn.Module): In evaluation mode, prepared by :func:`prepare_computation`.

    Yields:
        None: Nothing.

    Example:
        >>> with fixed_weights(model):
        ...     features = extract_features(model, loader)
    """
    # Not by `setattr`, which would add its layers to those of the model.
    vars(model)['folded'] = None
    try:
        yield
    finally:
        vars(model).pop('folded', None)  # another thread may have ended before


def _extract_feat(self: Any, inputs: Tensor, stage: str = 'neck') -> Any:
    extract = type(self).extract_feat
    if self.training:
        groups = getattr(self, 'batch_norm_groups', None)
        pass_on = partial(extract, self, stage=stage)
        return groups(pass_on, inputs) if groups else pass_on(inputs)
    if torch.is_grad_enabled():
        return extract(self, inputs, stage=stage)
    # Read once: another thread may end its use of the folded layers meanwhile.
    network = vars(self).get('folded', self)
    if network is None:
        network = vars(self)['folded'] = _folded(self, inputs[:1])
    compute = partial(_in_dtype, self, partial(extract, network, stage=stage))
    if inputs.device.type == 'cpu':
        return in_pieces(compute, inputs, IMAGES_PER_PIECE)
    return compute(inputs)


def _folded(model: Any, images: Tensor) -> Any:
    """Return the model with another backbone and neck; the rest is shared."""
    twin = copy.copy(model)
    twin._modules = dict(model._modules)
    inputs: Any = images
    for name in ('backbone', 'neck'):
        part = twin._modules.get(name)
        if part is not None:
            folded = twin._modules[name] = folded_batch_norm(part, inputs)
            if folded is not part:
                infer_in_place(folded)
            inputs = part.forward(inputs)  # not compiled for one image
    return twin


def _in_dtype(model: Any, compute: Callable[[Tensor], Any], inputs: Tensor) -> Any:
    dtype = getattr(model, 'inference_dtype', None)
    if dtype is None:
        return compute(inputs)
    with torch.autocast(inputs.device.type, dtype):
        return tree_map_only(Tensor, Tensor.float, compute(inputs))
