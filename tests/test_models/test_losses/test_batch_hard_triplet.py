"""The hardest triplets, by hand and by loops; the same over processes."""

import pytest
import torch
from torch import distributed, nn
from two_ranks import run_on_two_ranks

from mmreid_cc.models.losses import batch_hard_triplet_loss, gather_with_gradient

RNG = torch.Generator().manual_seed(0)
VECTORS = torch.randn(16, 6, generator=RNG, dtype=torch.float64)
LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 2, 3, 0, 1, 1])


def textbook(vectors, labels, margin):
    losses = []
    for anchor, label in zip(vectors, labels, strict=True):
        distances = (vectors - anchor).square().sum(dim=1).sqrt()
        difference = distances[labels == label].max() - distances[labels != label].min()
        if margin is None:
            losses.append(torch.log1p(difference.exp()))
        else:
            losses.append((margin + difference).clamp(min=0))
    return torch.stack(losses).mean()


@pytest.mark.parametrize('margin', [0.3, 5.0, None])
def test_as_the_textbook(margin):
    loss = batch_hard_triplet_loss(VECTORS, LABELS, margin=margin)
    torch.testing.assert_close(loss, textbook(VECTORS, LABELS, margin))


def test_by_hand():
    """On a line, 0 and 1 against 3: positives 1, 1, 0; negatives 3, 2, 2."""
    vectors, labels = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([0, 0, 1])
    loss = batch_hard_triplet_loss(vectors, labels, margin=2.0)
    assert loss == pytest.approx((0 + 1 + 0) / 3)


def test_equal_images_have_a_gradient():
    """K draws of one image: all distances of the identity are 0."""
    vectors = torch.tensor([[0.0], [0.0], [0.1], [0.1]], requires_grad=True)
    batch_hard_triplet_loss(vectors, torch.tensor([0, 0, 1, 1])).backward()
    assert vectors.grad.isfinite().all()
    assert vectors.grad[0] > 0 > vectors.grad[2]  # away from each other


@pytest.mark.parametrize('margin', [0.3, None])
def test_one_identity_costs_nothing(margin):
    vectors = torch.randn(4, 3, requires_grad=True)
    loss = batch_hard_triplet_loss(vectors, torch.zeros(4), margin=margin)
    loss.backward()
    assert loss == 0
    assert (vectors.grad == 0).all()


def test_half_precision_is_compared_in_single():
    half = VECTORS.to(torch.bfloat16)
    with torch.autocast('cpu', torch.bfloat16):
        loss = batch_hard_triplet_loss(half, LABELS)
    assert loss.dtype == torch.float32
    expected = textbook(half.double(), LABELS, 0.3).float()
    torch.testing.assert_close(loss, expected)


def gradient_of_share(share):
    """The gradient of a layer whose output is compared, from a share of the batch."""
    layer = nn.Linear(6, 3, bias=False, dtype=torch.float64)
    nn.init.eye_(layer.weight)
    vectors, labels = layer(VECTORS[share]), LABELS[share]
    loss = batch_hard_triplet_loss(
        vectors, labels, gather_with_gradient(vectors), gather_with_gradient(labels)
    )
    loss.backward()
    return layer.weight.grad


def averaged_gradient():
    """Average the gradients of two processes, as DDP does."""
    rank = distributed.get_rank()
    grad = gradient_of_share(slice(8 * rank, 8 * rank + 8))
    distributed.all_reduce(grad)
    return grad / 2


def test_two_processes_have_the_gradient_of_one(tmp_path):
    alone = gradient_of_share(slice(16))
    assert alone.abs().sum() > 0
    for gradient in run_on_two_ranks(averaged_gradient, tmp_path):
        torch.testing.assert_close(gradient, alone)
