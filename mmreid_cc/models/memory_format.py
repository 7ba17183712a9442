"""How the weights and maps of a network lie in memory."""

import torch
from torch import nn

from .piecewise import see_in_pieces


def lay_out(model: nn.Module, channels_last: bool | None = None) -> None:
    """Lay out a network so that the device computes it fast.

    Weights and maps of a convolutional network lie with the channels innermost,
    (N, H, W, C), and a batch is seen in pieces where that pays, see
    :func:`~mmreid_cc.models.piecewise.see_in_pieces`.

    Args:
        model (nn.Module): Changed in place.
        channels_last (bool, optional): Whether the channels lie innermost. Defaults to
            None: as :func:`prefers_channels_last` says.

    Example:
        >>> lay_out(model)
        >>> model.backbone.conv1.weight.is_contiguous(memory_format=torch.channels_last)
        True
    """
    if channels_last is None:
        channels_last = prefers_channels_last(model)
    if channels_last:
        model.to(memory_format=torch.channels_last)
    see_in_pieces(model)


def prefers_channels_last(model: nn.Module) -> bool:
    """Whether a network computes faster with the channels innermost.

    Those made of convolutions do, on a CPU by up to a half
    (``docs/backbones.md`` has the figures of 29). A transformer, whose only
    convolutions embed the patches, gains nothing.

    Args:
        model (nn.Module): Any.

    Returns:
        bool: True if convolutions are more than linear layers.

    Example:
        >>> prefers_channels_last(nn.Conv2d(3, 8, 3))
        True
    """
    kinds = [type(module) for module in model.modules()]
    convolutions = sum(issubclass(kind, nn.Conv2d) for kind in kinds)
    return convolutions > sum(issubclass(kind, nn.Linear) for kind in kinds)
