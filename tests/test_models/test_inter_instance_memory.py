"""ICE against loops over its formulas, and at its limits."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmreid_cc.models import CameraProxyMemory, InterInstanceMemory

CPU = torch.device('cpu')
PROXIES = dict(
    intra_weight=0, cluster_weight=1, positives='separate', cluster_temperature=0.5
)


def case(clusters=3, seed=0):
    """Features, clusters and cameras of 40 images; a batch of 9 and its two views."""
    generator = torch.Generator().manual_seed(seed)
    features = F.normalize(torch.randn(40, 6, generator=generator).double())
    labels = torch.arange(40) % clusters
    cam_ids = torch.randint(3, (40,), generator=generator)
    indices = torch.randperm(40, generator=generator)[:9]
    embeddings = torch.randn(9, 6, generator=generator).double()
    taught = torch.randn(2, 9, 6, generator=generator).double()
    return features, labels, cam_ids, indices, embeddings, taught


def softmax(values):
    total = sum(math.exp(value) for value in values)
    return [math.exp(value) / total for value in values]


def plain_loop(labels, embeddings, taught):
    """Hard instance contrast and soft consistency, pair by pair."""
    q = F.normalize(embeddings)
    m, w = F.normalize(taught, dim=2)
    hard = soft = 0.0
    n = len(q)
    for i in range(n):
        similar = [(q[i] @ m[j]).item() for j in range(n)]
        positive = min(similar[j] for j in range(n) if labels[j] == labels[i])
        negatives = [similar[j] for j in range(n) if labels[j] != labels[i]]
        hard -= math.log(softmax([s / 0.1 for s in [positive, *negatives]])[0])
        found = softmax([s / 0.4 for s in similar])
        expected = softmax([(w[i] @ w[j]).item() / 0.4 for j in range(n)])
        soft += sum(p * math.log(p / r) for p, r in zip(expected, found, strict=True))
    return hard / n, 10 * soft / n


@pytest.mark.parametrize('clusters', [1, 3, 40])
def test_equals_the_loop_of_the_formulas(clusters):
    for seed in range(3):
        features, labels, cam_ids, indices, embeddings, taught = case(clusters, seed)
        memory, proxies = InterInstanceMemory(**PROXIES), CameraProxyMemory(**PROXIES)
        for each in (memory, proxies):
            each.fill(features, labels, cam_ids, CPU)
        inputs = embeddings.clone().requires_grad_()
        losses = memory(inputs, memory.slots_of(indices), taught)
        hard, soft = plain_loop(labels[indices], embeddings, taught)
        assert losses['loss_hard'].item() == pytest.approx(hard, abs=1e-9)
        assert losses['loss_soft'].item() == pytest.approx(soft, abs=1e-9)
        expected = proxies(embeddings, proxies.slots_of(indices))
        torch.testing.assert_close(losses['loss_proxy'], expected)
        sum(losses.values()).backward()
        assert inputs.grad.isfinite().all()


def test_two_views_are_too_few():
    features, labels, cam_ids, indices, embeddings, taught = case()
    memory = InterInstanceMemory()
    memory.fill(features, labels, cam_ids, CPU)
    with pytest.raises(ValueError, match=r'three views .* gave 1.*collate_views'):
        memory(embeddings, memory.slots_of(indices), taught[:1])


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(hard_weight=-1), 'must not be negative, got -1 and 10'),
        (dict(soft_temperature=0), 'must be positive, got 0.1 and 0'),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        InterInstanceMemory(**arguments)
