"""Batch norms that are folded into the layers before them."""

import pytest
import torch
from torch import nn

from mmreid_cc.models.folding import folded_batch_norm

IMAGES = torch.rand(2, 3, 16, 8, generator=torch.Generator().manual_seed(0))


def trained(network):
    """With running statistics that are not those of the beginning."""
    network.train()
    for _ in range(20):
        network(torch.rand(8, 3, 16, 8) * 3)
    return network.eval()


def count(network, kind=nn.Identity):
    return sum(isinstance(module, kind) for module in network.modules())


class Branches(nn.Module):
    """What the convolution computes is used twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, images):
        maps = self.conv(images)
        return self.bn(maps) + maps


class Shared(nn.Module):
    """One batch norm after two convolutions."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.bn = nn.BatchNorm2d(3)

    def forward(self, images):
        return self.bn(self.second(self.bn(self.first(images))))


@torch.no_grad()
def test_folds():
    network = trained(
        nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
            nn.Conv2d(4, 6, 3, bias=False, groups=2), nn.BatchNorm2d(6),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5), nn.BatchNorm1d(5),
        )
    )  # fmt: skip
    expected = network(IMAGES)
    folded = folded_batch_norm(network, IMAGES)
    assert count(folded) == 3
    assert count(network) == 0
    torch.testing.assert_close(folded(IMAGES), expected, atol=1e-6, rtol=0)
    assert torch.equal(network(IMAGES), expected)


class Precision(nn.Module):
    """Note what convolutions may round to."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        convolutions = torch.backends.cudnn
        convolutions = getattr(convolutions, 'conv', convolutions)
        self.seen.append(getattr(convolutions, 'fp32_precision', None))
        return images


@torch.no_grad()
def test_compares_without_tf32():
    """With it, weights that were folded are rounded in another way."""
    if not hasattr(torch.backends.cudnn, 'conv'):
        pytest.skip('this PyTorch has one switch for all')
    network = nn.Sequential(Precision(), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    convolutions = torch.backends.cudnn.conv
    before = convolutions.fp32_precision
    convolutions.fp32_precision = 'tf32'
    try:
        folded_batch_norm(network, IMAGES)
        assert 'ieee' in network[0].seen
        assert convolutions.fp32_precision == 'tf32'
    finally:
        convolutions.fp32_precision = before


@torch.no_grad()
@pytest.mark.parametrize(
    'network',
    [
        Branches(),
        Shared(),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)),
        nn.Conv2d(3, 4, 3),
    ],
)
def test_leaves_what_cannot_be_folded(network):
    expected = trained(network)(IMAGES)
    folded = folded_batch_norm(network, IMAGES)
    assert count(folded) == 0
    assert torch.equal(folded(IMAGES), expected)
