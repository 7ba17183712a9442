"""Groups that pass one after the other do what replicas on several GPUs do."""

import copy

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.models import DenseNet, ResNet, TinyViT
from torch import nn

from mmreid_cc.models.batch_norm_groups import group_batch_norm
from mmreid_cc.models.computation import (
    compute_piecewise,
    fixed_weights,
    prepare_computation,
)
from mmreid_cc.registry import MODELS


class Activated(nn.BatchNorm2d):
    """A layer that does more than its class, as some of timm do."""

    def forward(self, inputs):
        return super().forward(inputs).relu()


@MODELS.register_module()
class NormalizingBackbone(nn.Sequential):
    """Batch norm of two kinds."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3),
            Activated(5),
        )  # fmt: skip


def network():
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmreid_cc'):
        model = MODELS.build(
            dict(
                type='ImageClassifier',
                backbone=dict(type='NormalizingBackbone'),
                neck=dict(type='GeneralizedMeanPooling', p=3.0),
                head=dict(
                    type='ClusterContrastHead',
                    in_channels=5,
                    memory=dict(type='ClusterMemory'),
                ),
            )
        )
    return model.train()


IMAGES = torch.randn(24, 3, 8, 8, generator=torch.Generator().manual_seed(1))
WEIGHTS = torch.randn(24, 5, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize('at_once', [False, True])
def test_equals_replicas(at_once):
    """Outputs, gradients and running statistics."""
    replicas = [network() for _ in range(3)]
    parts = IMAGES.split(8), WEIGHTS.split(8)
    outputs = [net(images) for net, images in zip(replicas, parts[0], strict=True)]
    for output, weights in zip(outputs, parts[1], strict=True):
        (output * weights).sum().backward()

    grouped = network()
    groups = group_batch_norm(grouped, 8, at_once=at_once)
    assert len(groups.layers) == 3
    output = grouped(IMAGES)
    (output * WEIGHTS).sum().backward()
    rounding = dict(atol=1e-6, rtol=1e-5) if at_once else dict(atol=0, rtol=0)
    torch.testing.assert_close(output, torch.cat(outputs), **rounding)
    for name, parameter in grouped.named_parameters():
        if parameter.requires_grad:
            summed = sum(dict(net.named_parameters())[name].grad for net in replicas)
            torch.testing.assert_close(parameter.grad, summed, atol=1e-5, rtol=1e-5)
    for name, buffer in grouped.named_buffers():
        expected = dict(replicas[0].named_buffers())[name]
        torch.testing.assert_close(buffer, expected, **rounding)
    plain = network()(IMAGES)
    assert not torch.allclose(output, plain, atol=1e-2)


@pytest.mark.parametrize('at_once', [False, True])
def test_compiled_backbone(at_once):
    grouped, compiled = network(), network()
    for model in (grouped, compiled):
        group_batch_norm(model, 8, at_once=at_once)
    compiled.backbone.compile(backend='eager')
    for _ in range(2):
        assert torch.equal(compiled(IMAGES), grouped(IMAGES))
    for name, buffer in compiled.named_buffers():
        assert torch.equal(buffer, dict(grouped.named_buffers())[name]), name


def test_layers_and_tests_stay():
    plain, grouped = network(), network()
    before = repr(grouped)
    groups = group_batch_norm(grouped, 8)
    groups.end()
    assert repr(grouped) == before == repr(plain)
    assert list(grouped.state_dict()) == list(plain.state_dict())
    plain.eval(), grouped.eval()
    assert torch.equal(grouped(IMAGES[:5]), plain(IMAGES[:5]))


def test_copies_and_repeated_calls():
    grouped = network()
    group_batch_norm(grouped, 8)
    twin = copy.deepcopy(grouped)
    assert torch.equal(twin(IMAGES), grouped(IMAGES))
    with torch.no_grad():
        twin.backbone[0].weight.zero_()  # of the copy only
    group_batch_norm(grouped, 12)
    assert not torch.equal(twin(IMAGES), grouped(IMAGES))
    assert grouped(IMAGES).std() > 0.1


@pytest.mark.parametrize('at_once', [False, True])
def test_statistics_can_be_left_alone(at_once):
    grouped = network()
    groups = group_batch_norm(grouped, 8, at_once=at_once)
    groups.tracks = False
    before = copy.deepcopy(grouped.state_dict())
    grouped(IMAGES)
    after = grouped.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    groups.end()
    assert grouped.backbone[1].track_running_stats


@pytest.mark.parametrize('at_once', [False, True])
def test_frozen_layers(at_once):
    """As `norm_eval` and `frozen_stages` leave them."""
    plain, grouped = network(), network()
    group_batch_norm(grouped, 8, at_once=at_once)
    for net in (plain, grouped):
        net.backbone.eval()
        net.head.eval()
    torch.testing.assert_close(grouped(IMAGES), plain(IMAGES))


CHECKPOINTED = {
    'with_cp': lambda on: ResNet(18, base_channels=4, stem_channels=4, with_cp=on),
    'memory_efficient': lambda on: DenseNet(
        dict(growth_rate=4, depths=[2, 2], init_channels=8), memory_efficient=on
    ),
    'use_checkpoint': lambda on: TinyViT(
        arch=dict(channels=[8] * 4, num_heads=[1] * 4, window_sizes=[1] * 4,
                  depths=[1] * 4),
        img_size=(32, 32), drop_path_rate=0.0, use_checkpoint=on,
    ),
}  # fmt: skip


@pytest.mark.parametrize('key', CHECKPOINTED)
def test_activations_computed_twice(key):
    """In the backward pass, outside of what tells groups apart."""
    gradients = []
    images = torch.randn(24, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    for on in (False, True):
        net = network()
        torch.manual_seed(0)
        net.backbone = CHECKPOINTED[key](on)
        net = net.double().train()
        group_batch_norm(net, 8, at_once=True)
        maps = net.extract_feat(images.double().requires_grad_(), stage='backbone')[-1]
        maps.square().sum().backward()
        gradients.append([p.grad for p in net.backbone.parameters()])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize('key', CHECKPOINTED)
def test_activations_computed_twice_in_shared_groups(key):
    net = network()
    net.backbone = CHECKPOINTED[key](True)
    with pytest.raises(ValueError, match=f'Remove `{key}`'):
        group_batch_norm(net, 8, processes=object())


def test_network_without_batch_norm():
    net = network()
    net.backbone, net.head.bn = nn.Conv2d(3, 5, 3), nn.Identity()
    expected = net(IMAGES)
    assert group_batch_norm(net, 8).layers == []
    torch.testing.assert_close(net(IMAGES), expected)


class Videos(nn.Module):
    """Convolutions of two kinds, and batch norm over time, too."""

    def __init__(self):
        super().__init__()
        self.images, self.times = nn.Conv2d(3, 4, 3), nn.Conv3d(4, 5, 1)
        self.bn = nn.BatchNorm3d(5)

    def forward(self, inputs):
        return self.bn(self.times(self.images(inputs)[:, :, None])).squeeze(2)


@pytest.mark.parametrize('at_once', [False, True])
def test_three_dimensions(at_once):
    net = network()
    net.backbone = Videos().train()
    plain = copy.deepcopy(net)
    group_batch_norm(net, 8, at_once=at_once)
    prepare_computation(net)
    assert net.backbone.images.weight.is_contiguous(memory_format=torch.channels_last)
    expected = torch.cat([plain(part) for part in IMAGES.split(8)])
    torch.testing.assert_close(net(IMAGES), expected)
    net.eval()
    plain.eval()
    plain.backbone.bn.load_state_dict(net.backbone.bn.state_dict())
    plain.head.load_state_dict(net.head.state_dict())
    with torch.no_grad(), fixed_weights(net):
        torch.testing.assert_close(net(IMAGES), plain(IMAGES))


@torch.no_grad()
def test_folded_layers_in_two_uses_that_overlap():
    """As of two threads of a page: the one that ends first takes nothing away."""
    net = network().eval()
    compute_piecewise(net)
    expected = net(IMAGES)
    first, second = fixed_weights(net), fixed_weights(net)
    first.__enter__()
    second.__enter__()
    torch.testing.assert_close(net(IMAGES), expected)
    first.__exit__(None, None, None)
    torch.testing.assert_close(net(IMAGES), expected)
    second.__exit__(None, None, None)
    assert 'folded' not in vars(net)


def test_no_groups():
    grouped = network()
    group_batch_norm(grouped, 7)
    with pytest.raises(ValueError, match='batch of 24 images has no groups of 7'):
        grouped(IMAGES)
    with pytest.raises(ValueError, match='Remove `sync_bn`'):
        group_batch_norm(nn.SyncBatchNorm(3), 8)
    grouped.head.parts = nn.BatchNorm1d(5)
    with pytest.raises(ValueError, match=r'layer\(s\) head\.parts would normalise'):
        group_batch_norm(grouped, 8)
    with pytest.raises(ValueError, match=r'layer\(s\) 0 would normalise'):
        group_batch_norm(nn.Sequential(nn.BatchNorm2d(3)), 8)
