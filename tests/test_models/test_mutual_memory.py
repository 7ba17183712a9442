"""MMT against loops over its formulas, and two networks side by side."""

import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.runner import Runner

from mmreid_cc.models import MutualMemory, Twins

CPU = torch.device('cpu')


def case(clusters=4, seed=0):
    """Features and clusters of 30 images; a batch of 8, and what the teacher says."""
    generator = torch.Generator().manual_seed(seed)
    features = F.normalize(torch.randn(30, 10, generator=generator).double())
    labels = torch.arange(30) % clusters
    indices = torch.randperm(30, generator=generator)[:8]
    embeddings = torch.randn(8, 10, generator=generator).double()
    taught = torch.randn(1, 8, 10, generator=generator).double()
    return features, labels, indices, embeddings, taught


def softmax(values):
    total = sum(math.exp(value) for value in values)
    return [math.exp(value) / total for value in values]


def unit_halves(vectors):
    return [F.normalize(half, dim=1) for half in (vectors[:, :5], vectors[:, 5:])]


def plain_loop(features, labels, indices, embeddings, taught):
    """The four parts before they are weighted, image by image."""
    y = labels[indices].tolist()
    n, count = len(y), int(labels.max()) + 1
    networks, teachers = unit_halves(embeddings), unit_halves(taught[0])
    centroids = []
    for half in unit_halves(features):
        means = [half[labels == label].mean(dim=0) for label in range(count)]
        centroids.append([F.normalize(mean, dim=0) for mean in means])

    def classes(vector, k):
        return softmax([(vector @ c).item() / 0.05 for c in centroids[k]])

    def apart(vectors, i, j):
        return (vectors[i] - vectors[j]).norm().item()

    hard = soft = triplet = soft_triplet = 0.0
    for mine, other in ((0, 1), (1, 0)):
        f, t = networks[mine], teachers[other]
        for i in range(n):
            p, target = classes(f[i], mine), classes(t[i], other)
            hard -= math.log(p[y[i]]) / n
            soft -= sum(a * math.log(b) for a, b in zip(target, p, strict=True)) / n
            negatives = [j for j in range(n) if y[j] != y[i]]
            if not negatives:
                continue
            positives = [j for j in range(n) if y[j] == y[i]]
            far = max(positives, key=lambda j: apart(f, i, j))
            near = min(negatives, key=lambda j: apart(f, i, j))
            mine_t = softmax([apart(f, i, far), apart(f, i, near)])[1]
            its_t = softmax([apart(t, i, far), apart(t, i, near)])[1]
            triplet -= math.log(mine_t) / n
            soft_triplet -= its_t * math.log(mine_t) / n
            soft_triplet -= (1 - its_t) * math.log(1 - mine_t) / n
    return dict(hard=hard, soft=soft, triplet=triplet, soft_triplet=soft_triplet)


@pytest.mark.parametrize('clusters', [1, 4, 30])
def test_equals_the_loop_of_the_formulas(clusters):
    for seed in range(3):
        features, labels, indices, embeddings, taught = case(clusters, seed)
        memory = MutualMemory(soft_weight=0.4, soft_triplet_weight=0.7)
        memory.fill(features, labels, torch.zeros(30), CPU)
        inputs = embeddings.clone().requires_grad_()
        losses = memory(inputs, memory.slots_of(indices), taught)
        parts = plain_loop(features, labels, indices, embeddings, taught)
        weights = dict(hard=0.6, soft=0.4, triplet=0.3, soft_triplet=0.7)
        for name, weight in weights.items():
            expected = weight * parts[name]
            assert losses[f'loss_{name}'].item() == pytest.approx(expected, abs=1e-9)
        sum(losses.values()).backward()
        assert inputs.grad.isfinite().all()


def test_twins_see_the_same_or_a_view_each():
    network = dict(type='mmreid_cc.TinyBackbone')
    twins = Twins([network, network]).eval()
    first, second = torch.rand(2, 2, 3, 16, 16)
    (both,) = twins(torch.cat([first, second], dim=1))
    expected = [twins.networks[0](first), twins.networks[1](second)]
    assert torch.equal(both, torch.cat(expected, dim=1))
    (both,) = twins(first)
    expected = [network(first) for network in twins.networks]
    assert torch.equal(both, torch.cat(expected, dim=1))
    with pytest.raises(ValueError, match='`networks` must be two, not 1'):
        Twins([network])


@pytest.mark.parametrize('views', [1, 2])
def test_training(tiny_config, views):
    """Each network sees its view, its gradient reaches it, and both differ."""
    tiny = dict(type='TinyBackbone')
    tiny_config.model.update(
        type='MutualClassifier',
        backbone=dict(type='Twins', networks=[tiny, tiny]),
    )
    tiny_config.model.head.update(in_channels=32, memory=dict(type='MutualMemory'))
    tiny_config.custom_hooks = [dict(type='TeacherHook')]
    if views == 2:
        dataset = tiny_config.train_dataloader.dataset
        load, resize, *augmentation, pack = dataset.pipeline
        several = dict(type='MultiView', num_views=[2], transforms=[augmentation])
        dataset.pipeline = [load, resize, several, pack]
        tiny_config.train_dataloader.collate_fn = dict(type='collate_views')
    runner = Runner.from_cfg(tiny_config)
    seen = []
    for network in runner.model.backbone.networks:
        network.register_forward_pre_hook(
            lambda layer, inputs: seen.append(inputs[0]) if layer.training else None
        )
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    moved = [k for k, v in runner.model.named_parameters() if (v != before[k]).any()]
    assert any('networks.0' in name for name in moved)
    assert any('networks.1' in name for name in moved)
    assert len(seen) == 2 * 2 * 6  # the teacher was copied with the hooks
    pairs = zip(seen[::2], seen[1::2], strict=True)
    assert all(torch.equal(*pair) == (views == 1) for pair in pairs)
    assert 0 < runner.message_hub.get_scalar('val/reid/mAP').current() <= 100


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(soft_weight=2), r'soft_weight must be in \[0, 1\], not 2'),
        (dict(soft_triplet_weight=-1), r'soft_triplet_weight must be in .*, not -1'),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        MutualMemory(**arguments)


def test_no_halves():
    memory = MutualMemory()
    with pytest.raises(ValueError, match='of 3 numbers cannot be halved'):
        memory.fill(torch.eye(3), torch.arange(3), torch.zeros(3), CPU)
