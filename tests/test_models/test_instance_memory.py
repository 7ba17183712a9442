"""The memory of one vector per image, against a loop over clusters."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmreid_cc.models import InstanceMemory


def test_equals_the_loop_of_the_formulas():
    generator = torch.Generator().manual_seed(0)
    features = F.normalize(torch.randn(9, 4, generator=generator).double())
    labels = torch.tensor([0, -1, 1, 1, 0, 2, -1, 1, 2])
    memory = InstanceMemory(momentum=0.3, temperature=0.1)
    memory.fill(features, labels, torch.ones(9), torch.device('cpu'))
    assert memory.centroids.shape == (7, 4)
    indices = torch.tensor([8, 0, 7, 0])
    queries = F.normalize(torch.randn(4, 4, generator=generator).double())

    loss = 0.0
    for query, index in zip(queries, indices, strict=True):
        exponentials = [
            math.exp(query @ features[labels == label].mean(dim=0) / 0.1)
            for label in range(3)
        ]
        loss -= math.log(exponentials[labels[index]] / sum(exponentials)) / 4
    embeddings = (5 * queries).requires_grad_()
    found = memory(embeddings, memory.slots_of(indices))
    assert found.item() == pytest.approx(loss)

    expected = features.clone()
    for query, index in zip(queries, indices, strict=True):
        expected[index] = F.normalize(0.3 * expected[index] + 0.7 * query, dim=0)
    found.backward()
    torch.testing.assert_close(memory.centroids, expected[labels >= 0])


def test_errors():
    memory = InstanceMemory()
    with pytest.raises(ValueError, match=r'at least one instance, got shape \(0, 4\)'):
        memory.reset(torch.empty(0, 4), torch.tensor([-1]))
    with pytest.raises(ValueError, match='2 instances do not fit 1 clustered images'):
        memory.reset(torch.eye(2), torch.tensor([0, -1]))
    with pytest.raises(ValueError, match=r'momentum must be in \[0, 1\], not 2'):
        InstanceMemory(momentum=2)
