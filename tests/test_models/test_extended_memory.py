"""ISE against loops over its formulas, and at its limits."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmreid_cc.models import ClusterMemory, ExtendedMemory

CPU = torch.device('cpu')


def case(clusters=5, seed=0):
    """Centroids, and embeddings and clusters of a batch of 8."""
    generator = torch.Generator().manual_seed(seed)
    centroids = F.normalize(torch.randn(clusters, 6, generator=generator).double())
    slots = torch.randint(clusters, (8,), generator=generator)
    embeddings = torch.randn(8, 6, generator=generator).double()
    return centroids, slots, embeddings


def plain_loop(centroids, slots, embeddings, k, progress, degree):
    """Both losses, one query and one support sample after the other."""
    queries = [F.normalize(embedding, dim=0) for embedding in embeddings.detach()]
    labels = slots.tolist()
    share = degree / 4 * math.log(1 + (math.e - 1) * progress)
    supports = []
    for query, label in zip(queries, labels, strict=True):
        others = [c for c in range(len(centroids)) if c != label]
        others.sort(key=lambda c: -(query @ centroids[c]).item())
        for c in others[:k]:
            moved = query + share * (centroids[c] - centroids[label])
            supports.append((moved / moved.norm(), label))
    contrast = 0.0
    for vector, label in [*zip(queries, labels, strict=True), *supports]:
        e = [math.exp(vector @ centroid / 0.05) for centroid in centroids]
        contrast -= math.log(e[label] / sum(e))
    contrast /= len(queries) + len(supports)
    preserving = 0.0
    for query, label in zip(queries, labels, strict=True):
        similar = [(math.exp(query @ s / 0.6), own) for s, own in supports]
        positive = min(value for value, own in similar if own == label)
        negative = sum(
            max(value for value, own in similar if own == other)
            for other in set(labels) - {label}
        )
        preserving -= math.log(positive / (positive + negative))
    return contrast, 0.1 * preserving / len(queries)


@pytest.mark.parametrize('progress', [0, 0.4, 0.99])
@pytest.mark.parametrize('k', [1, 3])
@pytest.mark.parametrize('clusters', [2, 5, 20])
def test_equals_the_loop_of_the_formulas(clusters, k, progress):
    for seed in range(3):
        centroids, slots, embeddings = case(clusters, seed)
        memory = ExtendedMemory(num_supports=k, degree=2.0)
        memory.reset(centroids)
        memory.progress = progress
        inputs = embeddings.requires_grad_()
        losses = memory(inputs, slots)
        expected = plain_loop(centroids, slots, embeddings, k, progress, 2.0)
        assert losses['loss_contrast'].item() == pytest.approx(expected[0], abs=1e-9)
        assert losses['loss_preserving'].item() == pytest.approx(expected[1], abs=1e-9)
        sum(losses.values()).backward()
        assert inputs.grad.isfinite().all()


def test_support_samples_move_centroids_too():
    centroids, slots, embeddings = case()
    memory = ExtendedMemory(num_supports=2, momentum=0.3, update='momentum')
    memory.reset(centroids)
    memory.progress = 0.5
    queries = F.normalize(embeddings)
    supports = memory.support_samples(queries, slots)
    sum(memory(embeddings.requires_grad_(), slots).values()).backward()
    for query, own, label in zip(queries, supports, slots.tolist(), strict=True):
        for vector in (query, *own):
            moved = 0.3 * centroids[label] + 0.7 * vector
            centroids[label] = F.normalize(moved, dim=0)
    torch.testing.assert_close(memory.centroids, centroids.detach())


def test_at_first_supports_are_the_queries():
    centroids, slots, embeddings = case()
    memory = ExtendedMemory()
    memory.reset(centroids)
    queries = F.normalize(embeddings)
    supports = memory.support_samples(queries, slots)
    torch.testing.assert_close(supports, queries[:, None])


def test_one_cluster_is_the_cluster_memory():
    centroids, _, embeddings = case(clusters=1)
    memory, plain = ExtendedMemory(), ClusterMemory(0.2, update='hard')
    losses = []
    for each in (memory, plain):
        each.reset(centroids)
        loss = each(
            embeddings.clone().requires_grad_(), torch.zeros(8, dtype=torch.long)
        )
        loss = loss['loss_contrast'] if isinstance(loss, dict) else loss
        loss.backward()
        losses.append(loss)
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(memory.centroids, plain.centroids)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_supports=0), 'num_supports must be at least 1, not 0'),
        (dict(degree=-1), 'must not be negative, got -1 and 0.1'),
        (dict(preserving_temperature=0), 'preserving_temperature must be positive'),
        (dict(update='soft'), "update must be in .*, not 'soft'"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExtendedMemory(**arguments)
