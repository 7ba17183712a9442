"""The memory equals the reference: loss, gradient, and centroids after backward."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mmreid_cc.models import ClusterMemory
from mmreid_cc.models.memories.updates import hard_update, momentum_update

DATA = Path(__file__).parents[1] / 'data'


@pytest.mark.parametrize('order', ['', '_shuffled'])
@pytest.mark.parametrize('update', ['momentum', 'hard'])
def test_golden(update, order):
    golden = np.load(DATA / f'cluster_memory_{update}{order}.npz')
    memory = ClusterMemory(
        float(golden['momentum']), float(golden['temperature']), update
    )
    memory.reset(torch.tensor(golden['centroids_before']))
    inputs = torch.tensor(golden['inputs'], requires_grad=True)
    loss = memory(inputs, torch.tensor(golden['labels']))
    # Nothing moves before backward.
    np.testing.assert_array_equal(memory.centroids, golden['centroids_before'])
    loss.backward()
    assert loss.item() == pytest.approx(float(golden['loss']), abs=1e-5)
    np.testing.assert_allclose(inputs.grad, golden['grad_inputs'], atol=1e-7)
    np.testing.assert_allclose(memory.centroids, golden['centroids_after'], atol=1e-6)


def sequential_momentum(centroids, queries, labels, momentum):
    """The rule as the paper writes it: one query after the other."""
    old, new = torch.tensor(momentum), 1 - torch.tensor(momentum)
    for query, label in zip(queries, labels, strict=True):
        centroid = old * centroids[label] + new * query
        centroids[label] = centroid / centroid.norm()


def sequential_hard(centroids, queries, labels, momentum):
    before = centroids.clone()
    for label in labels.unique():
        own = queries[labels == label]
        query = own[(own @ before[label]).argmin()]
        sequential_momentum(centroids, query[None], label[None], momentum)


def random_case(seed, batch, clusters, dim=64):
    generator = torch.Generator().manual_seed(seed)
    centroids = F.normalize(torch.randn(clusters, dim, generator=generator))
    queries = F.normalize(torch.randn(batch, dim, generator=generator))
    labels = torch.randint(clusters, (batch,), generator=generator)
    return centroids, queries, labels


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    batch=st.integers(1, 64),
    clusters=st.integers(1, 30),
    momentum=st.sampled_from([0.0, 0.1, 0.2, 0.9, 1.0]),
)
def test_momentum_update_is_the_sequential_loop_bit_for_bit(
    seed, batch, clusters, momentum
):
    centroids, queries, labels = random_case(seed, batch, clusters)
    expected = centroids.clone()
    sequential_momentum(expected, queries, labels, momentum)
    momentum_update(centroids, queries, labels, momentum)
    assert torch.equal(centroids, expected)


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**31), batch=st.integers(1, 64), clusters=st.integers(1, 30)
)
def test_hard_update_is_the_loop_over_clusters(seed, batch, clusters):
    centroids, queries, labels = random_case(seed, batch, clusters)
    expected = centroids.clone()
    sequential_hard(expected, queries, labels, 0.1)
    hard_update(centroids, queries, labels, 0.1)
    assert torch.equal(centroids, expected)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    batch=st.integers(1, 64),
    clusters=st.integers(1, 30),
    momentum=st.floats(0, 1),
    update=st.sampled_from(['momentum', 'hard']),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_centroids_stay_unit_and_only_those_of_the_batch_move(
    seed, batch, clusters, momentum, update, scale
):
    centroids, queries, labels = random_case(seed, batch, clusters, dim=8)
    memory = ClusterMemory(momentum=momentum, update=update)
    memory.reset(centroids)
    for _ in range(3):
        memory((queries * scale).requires_grad_(), labels).backward()
    norms = memory.centroids.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(clusters), atol=1e-5, rtol=0)
    others = torch.ones(clusters, dtype=torch.bool)
    others[labels] = False
    assert torch.equal(memory.centroids[others], centroids[others])


def test_a_query_that_would_wipe_out_its_centroid_does_not_move_it():
    """Half a centroid and half its opposite are nothing, which has no direction."""
    memory = ClusterMemory(momentum=0.5)
    memory.reset(torch.eye(2))
    queries = torch.tensor([[-1.0, 0.0]], requires_grad=True)
    memory(queries, torch.tensor([0])).backward()
    assert torch.equal(memory.centroids, torch.eye(2))


def test_hard_update_takes_the_first_of_equals():
    centroids = torch.tensor([[1.0, 0.0]])
    queries = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
    hard_update(centroids, queries, torch.tensor([0, 0]), 0.0)
    assert centroids.tolist() == [[0.0, 1.0]]


def test_order_matters():
    """After 16 queries and m = 0.1, a centroid is nearly its last query."""
    _, queries, _ = random_case(0, 16, 1)
    centroids = queries[:1].clone()
    momentum_update(centroids, queries, torch.zeros(16, dtype=torch.long), 0.1)
    assert (centroids[0] @ queries[-1]).item() == pytest.approx(0.994, abs=0.002)


def test_gradient_is_that_of_the_centroids_before_the_update():
    centroids, queries, labels = random_case(3, 16, 4)
    memory = ClusterMemory()
    memory.reset(centroids)
    ours = (queries * 3).requires_grad_()
    memory(ours, labels).backward()
    plain = (queries * 3).requires_grad_()
    F.cross_entropy(F.normalize(plain) @ centroids.T / 0.05, labels).backward()
    torch.testing.assert_close(ours.grad, plain.grad)
    assert not torch.equal(memory.centroids, centroids)


def test_no_update_without_backward():
    centroids, queries, labels = random_case(0, 8, 3)
    memory = ClusterMemory()
    memory.reset(centroids)
    with torch.no_grad():
        memory(queries, labels)
    assert torch.equal(memory.centroids, centroids)


@pytest.mark.parametrize('update', ['momentum', 'hard'])
def test_non_finite_embeddings_move_nothing(update):
    centroids, queries, labels = random_case(0, 8, 3)
    memory = ClusterMemory(update=update)
    memory.reset(centroids)
    queries[2] = float('nan')
    queries[5] = float('inf')
    labels = torch.tensor([0, 0, 0, 1, 1, 2, 1, 1])
    memory(queries.requires_grad_(), labels).backward()
    assert memory.centroids.isfinite().all()
    assert torch.equal(memory.centroids[2], centroids[2])
    expected = centroids.clone()
    if update == 'hard':  # the other queries of the cluster move it
        hard_update(expected, queries.detach()[:2], labels[:2], 0.1)
    assert torch.equal(memory.centroids[0], expected[0])
    assert not torch.equal(memory.centroids[1], centroids[1])


def test_float32_under_autocast():
    centroids, queries, labels = random_case(0, 8, 3)
    memory = ClusterMemory()
    memory.reset(centroids)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        weight = torch.eye(64, requires_grad=True)
        embeddings = F.linear(queries, weight)
        assert embeddings.dtype == torch.bfloat16
        loss = memory(embeddings, labels)
    loss.backward()
    assert loss.dtype == memory.centroids.dtype == torch.float32
    expected = F.normalize(embeddings.detach().float()) @ centroids.T / 0.05
    assert loss.item() == pytest.approx(F.cross_entropy(expected, labels).item())


def test_memory_is_no_part_of_the_state_dict_and_can_change_its_size():
    memory = ClusterMemory()
    assert not memory.state_dict()
    assert not list(memory.buffers())
    for clusters in (3, 7):
        centroids, queries, _ = random_case(0, 8, clusters)
        memory.reset(centroids, torch.tensor([0, -1, clusters - 1]))
        assert memory.centroids.shape == (clusters, 64)
        assert memory.labels.tolist() == [0, -1, clusters - 1]
        assert memory(queries, torch.zeros(8, dtype=torch.long)).isfinite()


def test_reset_copies():
    centroids, queries, labels = random_case(0, 8, 3)
    kept = centroids.clone()
    memory = ClusterMemory()
    memory.reset(centroids)
    memory(queries.requires_grad_(), labels).backward()
    assert torch.equal(centroids, kept)


def test_one_cluster_has_no_loss():
    memory = ClusterMemory()
    memory.reset(torch.eye(1, 4))
    queries = torch.randn(3, 4, requires_grad=True)
    loss = memory(queries, torch.zeros(3, dtype=torch.long))
    loss.backward()
    assert loss.item() == 0
    assert not queries.grad.any()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(momentum=1.1), r'momentum must be in \[0, 1\], not 1.1'),
        (dict(temperature=0), 'temperature must be positive, not 0'),
        (dict(update='mean'), r"update must be in \['hard', 'momentum'\], not 'mean'"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClusterMemory(**arguments)


def test_errors():
    memory = ClusterMemory()
    with pytest.raises(RuntimeError, match=r'memory is empty.*ClusterMemoryHook'):
        memory(torch.randn(2, 4), torch.tensor([0, 0]))
    with pytest.raises(ValueError, match=r'at least one centroid, got shape \(0, 4\)'):
        memory.reset(torch.empty(0, 4))
    with pytest.raises(ValueError, match='Label 2 has no centroid: there are 2'):
        memory.reset(torch.eye(2), torch.tensor([0, 2]))
