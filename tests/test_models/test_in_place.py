"""Activations in place, or not."""

import torch
from torch import nn

from mmreid_cc.models.folding import folded_batch_norm
from mmreid_cc.models.in_place import infer_in_place, train_out_of_place


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU6(inplace=True),
        nn.Conv2d(4, 4, 3), nn.SiLU(), nn.ReLU(inplace=True),
    )  # fmt: skip


def in_place(model):
    return [getattr(module, 'inplace', None) for module in model]


def copies(model, images):
    """How many maps a pass that is to give gradients copies, and the result."""
    with torch.profiler.profile() as profiler:
        output = model(images)
    return sum(event.name == 'aten::clone' for event in profiler.events()), output


def test_training_copies_no_input():
    images = torch.rand(2, 3, 9, 9)
    usual, changed = network(), network()
    train_out_of_place(changed)
    assert in_place(changed) == [None, None, False, None, False, True]
    before, expected = copies(usual, images)
    after, found = copies(changed, images)
    assert (before, after) == (1, 0)
    assert torch.equal(found, expected)
    found.sum().backward()
    expected.sum().backward()
    for a, b in zip(changed.parameters(), usual.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)


@torch.no_grad()
def test_inference_works_as_before():
    model = network().eval()
    train_out_of_place(model)
    folded = folded_batch_norm(model, torch.rand(1, 3, 9, 9))
    infer_in_place(folded)
    assert in_place(folded) == [None, None, True, None, False, True]
    assert not model[2].inplace
