"""PPLR against loops over its formulas, and the parts of a map."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.runner import Runner

from mmreid_cc.models import PartMemory, PartPooling
from mmreid_cc.models.memories.part_memory import cross_agreement

CPU = torch.device('cpu')


def case(clusters=4, seed=0):
    """Features of 30 images in a whole and two parts, their clusters, and a batch."""
    generator = torch.Generator().manual_seed(seed)
    features = F.normalize(torch.randn(30, 15, generator=generator).double())
    labels = torch.arange(30) % (clusters + 1) - 1
    clustered = torch.nonzero(labels >= 0).squeeze(1)
    indices = clustered[torch.randperm(len(clustered), generator=generator)[:8]]
    embeddings = torch.randn(8, 15, generator=generator).double()
    return features, labels, indices, embeddings


def pieces(vectors):
    return [F.normalize(vectors[:, start : start + 5]) for start in (0, 5, 10)]


def softmax(values):
    total = sum(math.exp(value) for value in values)
    return [math.exp(value) / total for value in values]


def nearest(vectors, i, k):
    similar = vectors @ vectors[i]
    return set(sorted(range(len(vectors)), key=lambda j: -similar[j].item())[:k])


def plain_loop(features, labels, indices, embeddings, k, beta):
    """The three parts of the loss, image by image."""
    whole, *parts = pieces(features)
    q = pieces(embeddings)
    count = int(labels.max()) + 1
    centroids = [
        [F.normalize(piece[labels == c].mean(dim=0), dim=0) for c in range(count)]
        for piece in (whole, *parts)
    ]
    y = labels[indices].tolist()
    n = len(y)
    refined = of_parts = triplet = 0.0
    for i, image in enumerate(indices.tolist()):
        predicted = [
            softmax([(piece[i] @ c).item() / 0.05 for c in centers])
            for piece, centers in zip(q, centroids, strict=True)
        ]
        by_whole = nearest(whole, image, k)
        alpha = []
        for part in parts:
            by_part = nearest(part, image, k)
            alpha.append(len(by_whole & by_part) / len(by_whole | by_part))
        w = softmax(alpha)
        for c in range(count):
            target = beta * (c == y[i])
            target += (1 - beta) * sum(
                a * p[c] for a, p in zip(w, predicted[1:], strict=True)
            )
            refined -= target * math.log(predicted[0][c]) / n
        for a, p in zip(alpha, predicted[1:], strict=True):
            divergence = sum(math.log(1 / count / value) / count for value in p)
            of_parts += (-a * math.log(p[y[i]]) + (1 - a) * divergence) / 2 / n
        distance = [(q[0][i] - q[0][j]).norm().item() for j in range(n)]
        negatives = [distance[j] for j in range(n) if y[j] != y[i]]
        if negatives:
            far = max(distance[j] for j in range(n) if y[j] == y[i])
            triplet -= math.log(softmax([far, min(negatives)])[1]) / n
    return dict(refined=refined, parts=of_parts, triplet=triplet)


@pytest.mark.parametrize('clusters', [1, 4, 20])
def test_equals_the_loop_of_the_formulas(clusters):
    for seed in range(3):
        features, labels, indices, embeddings = case(clusters, seed)
        memory = PartMemory(2, num_neighbors=6, label_weight=0.3)
        memory.fill(features, labels, torch.zeros(30), CPU)
        memory.progress = 0.5
        inputs = embeddings.clone().requires_grad_()
        losses = memory(inputs, memory.slots_of(indices))
        expected = plain_loop(features, labels, indices, embeddings, 6, 0.3)
        for name, value in expected.items():
            assert losses[f'loss_{name}'].item() == pytest.approx(value, abs=1e-9), name
        sum(losses.values()).backward()
        assert inputs.grad.isfinite().all()


def test_warm_up():
    features, labels, indices, embeddings = case()
    memory = PartMemory(2, warm_up=0.2)
    memory.fill(features, labels, torch.zeros(30), CPU)
    slots, y = memory.slots_of(indices), labels[indices]
    found = []
    for progress in (0.0, 0.19, 0.2):
        memory.progress = progress
        found.append(memory(embeddings, slots)['loss_parts'])
    expected = []
    for name, q in zip(('part_1', 'part_2'), pieces(embeddings)[1:], strict=True):
        logits = q @ memory.banks[name].vectors.T / 0.05
        expected.append(F.cross_entropy(logits, y, label_smoothing=0.1))
    torch.testing.assert_close(found[0], sum(expected) / 2)
    assert found[0] == found[1] != found[2]


def test_cross_agreement():
    first, second = np.array([[0, 1, 2], [1, 0, 4]]), np.array([[2, 1, 0], [1, 5, 6]])
    np.testing.assert_allclose(cross_agreement(first, second), [1, 1 / 5])


def test_a_part_that_sees_nothing():
    """Its vectors are 0: it predicts everything alike, and moves nothing."""
    features, labels, indices, embeddings = case()
    memory = PartMemory(2, warm_up=0)
    memory.fill(features, labels, torch.zeros(30), CPU)
    before = memory.banks['part_1'].vectors.clone()
    embeddings[:, 5:10] = 0
    inputs = embeddings.requires_grad_()
    sum(memory(inputs, memory.slots_of(indices)).values()).backward()
    assert inputs.grad.isfinite().all()
    torch.testing.assert_close(memory.banks['part_1'].vectors, before)


def test_stripes():
    feat = torch.rand(2, 5, 9, 4)
    found = PartPooling(3)((feat,))
    stripes = [feat[:, :, start : start + 3].mean(dim=(2, 3)) for start in (0, 3, 6)]
    torch.testing.assert_close(found, torch.cat([feat.mean(dim=(2, 3)), *stripes], 1))
    with pytest.raises(ValueError, match='num_parts must be at least 1, not 0'):
        PartPooling(0)
    with pytest.raises(ValueError, match=r'divides maps .* returns shape \(2, 5\)'):
        PartPooling(3)(torch.rand(2, 5))


def test_training(tiny_config):
    tiny_config.model.neck = dict(type='PartPooling', num_parts=2)
    memory = dict(type='PartMemory', num_parts=2, num_neighbors=5, warm_up=0.5)
    tiny_config.model.head.update(in_channels=48, memory=memory)
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    assert runner.model.head.memory.agreement.shape == (48, 2)
    assert 0 < runner.message_hub.get_scalar('val/reid/mAP').current() <= 100


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_parts=0), 'must be at least 1, got 0 and 20'),
        (dict(label_weight=2), r'label_weight must be in \[0, 1\], not 2'),
        (dict(warm_up=-1), r'warm_up must be in \[0, 1\], not -1'),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        PartMemory(**arguments)


def test_no_parts():
    with pytest.raises(
        ValueError, match=r'of 14 numbers cannot be divided into .* 3 parts'
    ):
        PartMemory().clustered(torch.rand(5, 14))
