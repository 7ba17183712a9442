"""Groups inside one process do what replicas on several GPUs do."""

import copy

import pytest
import torch
from torch import nn

from mmreid_cc.models.batch_norm_groups import group_batch_norm


class Activated(nn.BatchNorm2d):
    """A layer that does more than its class, as some of timm do."""

    def forward(self, inputs):
        return super().forward(inputs).relu()


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3),
        Activated(5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(5),
    )  # fmt: skip


IMAGES = torch.randn(24, 3, 8, 8, generator=torch.Generator().manual_seed(1))
WEIGHTS = torch.randn(24, 5, generator=torch.Generator().manual_seed(2))


def test_equals_replicas():
    """Outputs, gradients and running statistics, bit for bit."""
    replicas = [network() for _ in range(3)]
    parts = IMAGES.split(8), WEIGHTS.split(8)
    outputs = [net(images) for net, images in zip(replicas, parts[0], strict=True)]
    for output, weights in zip(outputs, parts[1], strict=True):
        (output * weights).sum().backward()

    grouped = network()
    assert len(group_batch_norm(grouped, 8)) == 3
    output = grouped(IMAGES)
    (output * WEIGHTS).sum().backward()
    assert torch.equal(output, torch.cat(outputs))
    for name, parameter in grouped.named_parameters():
        summed = sum(dict(net.named_parameters())[name].grad for net in replicas)
        torch.testing.assert_close(parameter.grad, summed, atol=1e-4, rtol=1e-4)
    for name, buffer in grouped.named_buffers():
        assert torch.equal(buffer, dict(replicas[0].named_buffers())[name]), name
    plain = network()(IMAGES)
    assert not torch.allclose(output, plain, atol=1e-2)


def test_names_tests_and_classes_stay():
    plain, grouped = network(), network()
    group_batch_norm(grouped, 8)
    assert list(grouped.state_dict()) == list(plain.state_dict())
    assert isinstance(grouped[4], Activated)
    assert 'GroupedBatchNorm2d(4, eps' in repr(grouped[1])
    plain.eval(), grouped.eval()
    assert torch.equal(grouped(IMAGES[:5]), plain(IMAGES[:5]))


def test_copies_and_repeated_calls():
    grouped = network()
    group_batch_norm(grouped, 8)
    twin = copy.deepcopy(grouped)
    assert torch.equal(twin(IMAGES), grouped(IMAGES))
    group_batch_norm(grouped, 12)
    assert type(grouped[1]) is type(twin[1])
    assert not torch.equal(twin(IMAGES), grouped(IMAGES))


def test_statistics_can_be_left_alone():
    grouped = network()
    for layer in group_batch_norm(grouped, 8):
        layer.tracks = False
    before = copy.deepcopy(grouped.state_dict())
    grouped(IMAGES)
    after = grouped.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert grouped[1].track_running_stats


def test_no_groups():
    grouped = network()
    group_batch_norm(grouped, 7)
    with pytest.raises(ValueError, match='batch of 24 images has no groups of 7'):
        grouped(IMAGES)
    with pytest.raises(ValueError, match='Remove `sync_bn`'):
        group_batch_norm(nn.SyncBatchNorm(3), 8)
