"""The convolution stem gives the tokens of a ViT, for images of any size."""

import pytest
import torch

from mmreid_cc.models import ICSVisionTransformer
from mmreid_cc.models.backbones import IBNConvStem, InstanceBatchNorm

TINY = dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64)


def test_stem():
    stem = IBNConvStem(32, (64, 32))
    tokens, grid = stem(torch.randn(2, 3, 64, 32))
    assert tokens.shape == (2, 8, 32)
    assert grid == (4, 2)
    # As in the authors' code: two IBN layers, then BN.
    norms = [type(stem.stem[index]).__name__ for index in (1, 4, 7)]
    assert norms == [InstanceBatchNorm.__name__] * 2 + ['BatchNorm2d']


def test_class_token_at_any_size():
    net = ICSVisionTransformer(TINY, img_size=(64, 32))
    assert net.pos_embed.shape == (1, 1 + 4 * 2, 32)
    for size in ((64, 32), (96, 32)):
        (token,) = net(torch.randn(2, 3, *size))
        assert token.shape == (2, 32)


def test_default_is_vit_small():
    net = ICSVisionTransformer(drop_path_rate=0.3)
    assert net.pos_embed.shape == (1, 1 + 16 * 8, 384)
    assert len(net.layers) == 12
    assert net.layers[-1].attn.out_drop.drop_prob == pytest.approx(0.3)


def test_the_size_must_be_of_whole_patches():
    with pytest.raises(ValueError, match=r'multiples of 16, not \(250, 128\)'):
        ICSVisionTransformer(TINY, img_size=(250, 128))
