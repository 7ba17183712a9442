"""Folding of batch norms into the convolutions before them."""

import copy
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from torch.utils._pytree import tree_leaves

from mmreid_cc.clustering.full_precision import full_precision

FUSIONS: dict[tuple[type, type], Any] = {
    (nn.Conv2d, nn.BatchNorm2d): fuse_conv_bn_eval,
    (nn.Linear, nn.BatchNorm1d): fuse_linear_bn_eval,
}
TOLERANCE = 1e-4
"""Largest difference of an output, relative to the largest of its values: rounding
makes some 1e-6 in float32, and a wrong layer very much more."""


def folded_batch_norm(model: nn.Module, inputs: Any) -> nn.Module:
    """Copy a part of a network into one that computes the same with fewer layers.

    In a test, a batch norm after a convolution or a linear layer is an affine map of
    each channel, which can be merged into the weights before it. Which layers follow
    each other is found by passing an input. The copy must give the same output up to
    rounding.

    Args:
        model (nn.Module): In evaluation mode.
        inputs (Any): What it is called with; one or two images are enough.

    Returns:
        nn.Module: The copy, or the model itself if the copy gives something else.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).eval()
        >>> folded_batch_norm(network, torch.rand(1, 3, 9, 9))
        Sequential(
          (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
          (1): Identity()
        )
    """
    folded = copy.deepcopy(model)
    expected = _exact_output(model, inputs)
    for before, norm in _consecutive(folded, inputs):
        fusion = FUSIONS[type(before), type(norm)]
        fused = fusion(before, norm)
        before.weight, before.bias = fused.weight, fused.bias
        _replace(folded, norm, nn.Identity())
    found = _exact_output(folded, inputs)
    difference = (found - expected).abs().max()
    return folded if difference <= TOLERANCE * expected.abs().max() else model


def _exact_output(model: nn.Module, inputs: Any) -> Tensor:
    # TF32 rounds weights, which differ in the two, to 10 bits.
    with full_precision(tree_leaves(inputs)[0].device.type):
        # A compiled module would be compiled again for this.
        output = model.forward(inputs)
    return output[-1] if isinstance(output, (tuple, list)) else output


def _consecutive(model: nn.Module, inputs: Any) -> list[tuple]:
    """Find layers whose output goes only into a batch norm, each called once."""
    outputs: list[Tensor] = []  # kept, so that no other tensor gets the same id
    makers: dict[int, nn.Module] = {}
    pairs: list[tuple] = []
    calls: list[nn.Module] = []

    def note_output(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        calls.append(layer)
        outputs.append(output)
        makers[id(output)] = layer

    def note_input(norm: nn.Module, inputs: tuple) -> None:
        calls.append(norm)
        before = makers.get(id(inputs[0]))
        if (type(before), type(norm)) in FUSIONS and norm.running_mean is not None:
            pairs.append((before, norm))

    handles = []
    for module in model.modules():
        if type(module) in (nn.Conv2d, nn.Linear):
            handles.append(module.register_forward_hook(note_output))
        elif type(module) in (nn.BatchNorm2d, nn.BatchNorm1d):
            handles.append(module.register_forward_pre_hook(note_input))
    model(inputs)
    for handle in handles:
        handle.remove()
    return [pair for pair in pairs if all(calls.count(layer) == 1 for layer in pair)]


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for parent in model.modules():
        for name, child in parent.named_children():
            if child is old:
                setattr(parent, name, new)
