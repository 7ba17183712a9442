"""SOLIDER's scale and shift between the stages of a Swin Transformer."""

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models import SwinTransformer

from mmreid_cc.models import SOLIDERSwin

ARCH = dict(embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2])
SIZE = dict(img_size=(64, 32), pad_small_map=True)


def test_maps_are_scaled_and_shifted_between_stages():
    torch.manual_seed(0)
    ours = SOLIDERSwin(ARCH, semantic_weight=0.3, **SIZE)
    ours.eval()
    for layers in (ours.semantic_embed_w, ours.semantic_embed_b):
        for layer in layers:
            torch.nn.init.normal_(layer.weight)
            torch.nn.init.normal_(layer.bias)
    plain = SwinTransformer(ARCH, **SIZE)
    plain.eval()
    weights = {k: v for k, v in ours.state_dict().items() if 'semantic' not in k}
    plain.load_state_dict(weights)

    def change(number):
        w, b = ours.semantic_embed_w[number], ours.semantic_embed_b[number]
        scale = F.softplus(0.3 * w.weight[:, 0] + 0.7 * w.weight[:, 1] + w.bias)
        shift = 0.3 * b.weight[:, 0] + 0.7 * b.weight[:, 1] + b.bias
        return lambda layer, inputs, output: (output[0] * scale + shift, output[1])

    images = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        before = plain(images)[0]
        for number in range(3):
            plain.stages[number].downsample.register_forward_hook(change(number))
        expected, found = plain(images)[0], ours(images)[0]
    torch.testing.assert_close(found, expected)
    assert (found - before).abs().max() > 0.1
    assert found.shape == (2, 64, 2, 1)


def test_its_layers_stay_and_the_others_learn():
    ours = SOLIDERSwin(ARCH, **SIZE)
    still = {name for name, p in ours.named_parameters() if not p.requires_grad}
    assert still == {n for n, _ in ours.named_parameters() if 'semantic' in n}
    with pytest.raises(ValueError, match=r'semantic_weight must be in \[0, 1\], not 2'):
        SOLIDERSwin(ARCH, semantic_weight=2, **SIZE)
