"""IBN layers are where IBN-Net has them, and normalise by halves."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet50, resnet101

from mmreid_cc.models.backbones import (
    FastReIDResNet,
    FastReIDResNetIBN,
    InstanceBatchNorm,
    ResNetIBN,
)


def test_halves():
    norm = InstanceBatchNorm(5)
    x = torch.randn(4, 5, 8, 4) * 3 + 2
    y = norm(x)
    assert y.shape == x.shape
    zeros = torch.zeros(4, 2)
    torch.testing.assert_close(y[:, :2].mean(dim=(2, 3)), zeros, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        y[:, 2:].mean(dim=(0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-5
    )
    assert y[:, 2:].mean(dim=(2, 3)).abs().max() > 0.01  # not of each image
    # In testing the first half still follows the image, the second the statistics.
    norm.eval()
    torch.testing.assert_close(norm(x)[:, :2], norm(x + 7)[:, :2], rtol=0, atol=1e-4)
    assert (norm(x + 7) - norm(x))[:, 2:].min() > 1


@pytest.mark.parametrize(('depth', 'torchvision'), [(50, resnet50), (101, resnet101)])
def test_keys_and_layers(depth, torchvision):
    """Torchvision's keys, but for `bn1` of the blocks in stages 1 to 3."""
    net = ResNetIBN(depth)
    with torch.device('meta'):
        plain = torchvision()
    ibn = [k for k, m in net.named_modules() if isinstance(m, InstanceBatchNorm)]
    blocks = [
        f'layer{stage}.{index}.bn1'
        for stage in (1, 2, 3)
        for index in range(len(getattr(plain, f'layer{stage}')))
    ]
    assert ibn == blocks
    expected = {}
    for key, value in plain.state_dict().items():
        layer = key.rpartition('.')[0]
        if layer not in blocks:
            expected[key] = value.shape
            continue
        half = torch.Size(n // 2 for n in value.shape)
        expected[key.replace(layer, f'{layer}.BN')] = half
        if key.endswith(('weight', 'bias')):
            expected[key.replace(layer, f'{layer}.IN')] = half
    del expected['fc.weight'], expected['fc.bias']
    assert {key: value.shape for key, value in net.state_dict().items()} == expected


def test_in_place_of_a_resnet():
    net = ResNetIBN(50, strides=(1, 2, 2, 1), norm_cfg=dict(type='SyncBN'))
    net.eval()
    assert isinstance(net.layer1[0].bn1.BN, nn.SyncBatchNorm)
    (features,) = net(torch.randn(1, 3, 64, 32))
    assert features.shape == (1, 2048, 4, 2)


def test_no_such_depth():
    with pytest.raises(KeyError, match='invalid depth 18'):
        ResNetIBN(18)


@pytest.mark.parametrize('network', [FastReIDResNet, FastReIDResNetIBN])
def test_first_pooling_of_fastreid(network):
    net = network(50)
    assert isinstance(net, ResNetIBN) == (network is FastReIDResNetIBN)
    x = torch.arange(64.0).view(1, 1, 8, 8)
    # Windows of 3 that begin at 0, 2, 4 and 6, the last one cut off.
    assert net.maxpool(x)[0, 0, 0].tolist() == [18, 20, 22, 23]
