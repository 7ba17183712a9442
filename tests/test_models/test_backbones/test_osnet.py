"""OSNet has the sizes of its paper; its arithmetic is proven in test_convert.py."""

import pytest
import torch
from torch import nn

from mmreid_cc.models import OSNet


@pytest.mark.parametrize(
    ('widen_factor', 'millions'), [(1, 2.2), (0.75, 1.3), (0.5, 0.6), (0.25, 0.2)]
)
def test_published_parameters(widen_factor, millions):
    """Of the paper, with the linear embedding of 512 channels that is no part here."""
    net = OSNet(widen_factor)
    channels = net.last.out_channels
    assert channels == 512 * widen_factor
    embedding = 512 * channels + 3 * 512
    count = sum(p.numel() for p in net.parameters()) + embedding
    assert round(count / 1e6, 1) == millions


def test_map():
    (features,) = OSNet(0.25)(torch.randn(2, 3, 96, 48))
    assert features.shape == (2, 128, 6, 3)
    assert (features >= 0).all()


def test_streams_see_3_5_7_and_9_pixels():
    block = OSNet(0.25).stages[0][0].eval()
    for stream, size in zip(block.streams, (3, 5, 7, 9), strict=True):
        x = torch.zeros(1, 16, 15, 15, requires_grad=True)
        for module in stream.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.ones_(module.weight)
            if isinstance(module, nn.BatchNorm2d):
                nn.init.ones_(module.bias)  # keeps ReLU open
        stream(x)[0, 0, 7, 7].backward()
        assert (x.grad[0, 0].sum(dim=0) != 0).sum() == size


def test_initialisation():
    net = OSNet(0.25)
    net.init_weights()
    weight = net.last.conv.weight  # 1 × 1: fan out is its 128 channels
    assert weight.std().item() == pytest.approx((2 / 128) ** 0.5, rel=0.05)


def test_no_such_width():
    with pytest.raises(ValueError, match=r'widen_factor must be in .* not 0\.3'):
        OSNet(0.3)
