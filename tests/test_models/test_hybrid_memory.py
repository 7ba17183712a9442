"""SpCL's memory against a loop over its formula, and at its limits."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmreid_cc.models import HybridMemory

CPU = torch.device('cpu')


def case(unclustered='some', with_source=True):
    """40 images of a target, and 20 of three source classes, mixed."""
    generator = torch.Generator().manual_seed(3)
    features = F.normalize(torch.randn(60, 6, generator=generator).double())
    sources = torch.zeros(60, dtype=torch.bool)
    labels = torch.randint(-1, 4, (60,), generator=generator)
    labels[:4] = torch.arange(4)
    if unclustered == 'none':
        labels.clamp_(min=0)
    elif unclustered == 'all':
        labels[:] = -1
    if with_source:
        sources[4::3] = True
        count = int(sources.sum())
        labels[sources] = labels[~sources].max() + 1 + torch.arange(count) % 3
    return features, labels, sources


def filled(features, labels, sources, **arguments):
    memory = HybridMemory(**arguments)
    memory.sources = sources
    memory.fill(features, labels, torch.zeros(60, dtype=torch.long), CPU)
    return memory


def plain_loop(features, labels, sources, indices, embeddings):
    """The mean loss, one image and one vector after the other."""
    targets = [i for i in range(60) if not sources[i]]
    known = [i for i in range(60) if sources[i]]
    compared = {}
    for label in {int(labels[i]) for i in known}:
        own = torch.stack([features[i] for i in known if labels[i] == label])
        compared['source', label] = F.normalize(own.mean(dim=0), dim=0)
    for label in {int(labels[i]) for i in targets if labels[i] >= 0}:
        own = torch.stack([features[i] for i in targets if labels[i] == label])
        compared['cluster', label] = own.mean(dim=0)
    for i in targets:
        if labels[i] < 0:
            compared['alone', i] = features[i]
    loss = 0.0
    for embedding, i in zip(embeddings, indices.tolist(), strict=True):
        query = F.normalize(embedding, dim=0)
        e = {key: math.exp(query @ z / 0.05) for key, z in compared.items()}
        kind = 'source' if sources[i] else 'cluster' if labels[i] >= 0 else 'alone'
        own = e[kind, i if kind == 'alone' else int(labels[i])]
        loss -= math.log(own / sum(e.values()))
    return loss / len(embeddings)


@pytest.mark.parametrize('with_source', [True, False])
@pytest.mark.parametrize('unclustered', ['none', 'some', 'all'])
def test_equals_the_loop_of_the_formula(unclustered, with_source):
    features, labels, sources = case(unclustered, with_source)
    memory = filled(features, labels, sources)
    generator = torch.Generator().manual_seed(0)
    indices = torch.randperm(60, generator=generator)[:12]
    embeddings = torch.randn(12, 6, generator=generator).double()
    expected = plain_loop(features, labels, sources, indices, embeddings)
    loss = memory(embeddings, memory.slots_of(indices))
    assert loss.item() == pytest.approx(expected, abs=1e-9)


def test_a_query_moves_its_image_or_its_source_class():
    features, labels, sources = case()
    memory = filled(features, labels, sources, momentum=0.3)
    before = memory.features
    torch.testing.assert_close(before[~sources], features[~sources])
    image = int(torch.nonzero(labels < 0)[0])
    clustered = int(torch.nonzero((labels == 0) & ~sources)[0])
    known = int(torch.nonzero(sources)[0])
    indices = torch.tensor([image, clustered, known])
    queries = F.normalize(torch.randn(3, 6).double()).requires_grad_()
    memory(queries, memory.slots_of(indices)).backward()
    after = memory.features
    for i, query in zip(indices.tolist(), queries.detach(), strict=True):
        torch.testing.assert_close(
            after[i], F.normalize(0.3 * before[i] + 0.7 * query, dim=0)
        )
    class_mates = sources & (labels == labels[known])
    assert class_mates.sum() > 1
    assert (after[class_mates] == after[known]).all()
    still = torch.ones(60, dtype=torch.bool)
    still[indices] = False
    still[class_mates] = False
    assert torch.equal(after[still], before[still])


def test_vectors_last_to_the_next_clustering():
    features, labels, sources = case()
    memory = filled(features, labels, sources)
    indices = torch.arange(60)
    queries = torch.randn(60, 6).double().requires_grad_()
    memory(queries, memory.slots_of(indices)).backward()
    kept = memory.features
    labels = torch.where(sources, labels, -1)
    labels[sources] -= labels[sources].min()
    memory.fill(kept, labels, torch.zeros(60), CPU)
    torch.testing.assert_close(memory.features, kept, rtol=0, atol=1e-12)
    assert HybridMemory().features is None  # before anything is known


def test_errors():
    memory = HybridMemory()
    labels, none = torch.tensor([0, -1]), torch.zeros(2, dtype=torch.bool)
    with pytest.raises(ValueError, match='3 vectors do not fit 2 images and 0 classes'):
        memory.reset(torch.eye(3), labels, none)
    with pytest.raises(ValueError, match='at least one vector'):
        memory.reset(torch.empty(0, 3), labels, none)
    with pytest.raises(ValueError, match='temperature must be positive'):
        HybridMemory(temperature=0)
