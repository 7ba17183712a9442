"""What every memory promises, whatever it holds."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import distributed
from two_ranks import run_on_two_ranks

from mmreid_cc.models import (
    AggregatedMemory,
    CameraProxyMemory,
    ClusterMemory,
    ExtendedMemory,
    GraphMatchedMemory,
    HybridMemory,
    InstanceMemory,
    InterInstanceMemory,
    MeanTeacherMemory,
    ModalityMemory,
    MutualMemory,
    PartMemory,
    TaughtMemory,
)
from mmreid_cc.models.memories import vector_bank

CPU = torch.device('cpu')
MEMORIES = {
    'cluster': lambda: ClusterMemory(),
    'hard': lambda: ClusterMemory(update='hard'),
    'sample': lambda: ClusterMemory(init='sample'),
    'instance': lambda: InstanceMemory(),
    'hybrid': lambda: HybridMemory(),
    'mean teacher': lambda: MeanTeacherMemory(),
    'extended': lambda: extended(),
    'mutual': lambda: MutualMemory(),
    # Refined labels are targets without gradient, which a difference would see.
    'parts': lambda: PartMemory(num_neighbors=5, warm_up=0, label_weight=1),
    'inter-instance': lambda: InterInstanceMemory(num_negatives=3, cluster_weight=1.0),
    'modalities': lambda: ModalityMemory((7,)),
    # Features of noise are not similar.
    'aggregated': lambda: AggregatedMemory((7,), threshold=0.1, start=0),
    'graph': lambda: GraphMatchedMemory((7,), start=0),
    'proxies': lambda: CameraProxyMemory(num_negatives=3),
    'proxies and clusters': lambda: CameraProxyMemory(
        num_negatives=3, positives='separate', cluster_weight=1.0
    ),
}
all_memories = pytest.mark.parametrize('name', MEMORIES)
# Those that compare the images of a batch with each other.
IN_BATCH = {'extended', 'inter-instance', 'mutual', 'parts'}


def extended():
    """In the middle of a training, so that support samples are no queries."""
    memory = ExtendedMemory(num_supports=2)
    memory.progress = 0.5
    return memory


def training_set(dtype=torch.float32):
    """40 images of 5 clusters, some of none, in 3 cameras and an unknown one."""
    generator = torch.Generator().manual_seed(0)
    features = F.normalize(torch.randn(40, 16, generator=generator, dtype=dtype))
    labels = torch.randint(-1, 5, (40,), generator=generator)
    labels[:5] = torch.arange(5)
    cam_ids = torch.tensor([1, 2, 7, -1])[torch.randint(4, (40,), generator=generator)]
    return features, labels, cam_ids


def filled(name, dtype=torch.float32):
    features, labels, cam_ids = training_set(dtype)
    memory = MEMORIES[name]()
    memory.fill(features, labels, cam_ids, CPU)
    return memory


def batch(memory, size=12, dtype=torch.float32):
    """Embeddings of clustered images, and their indices."""
    generator = torch.Generator().manual_seed(1)
    clustered = torch.nonzero(memory.labels >= 0).squeeze(1)
    indices = clustered[torch.randint(len(clustered), (size,), generator=generator)]
    embeddings = 3 * torch.randn(size, 16, generator=generator, dtype=dtype)
    return embeddings, indices


def loss_of(memory, embeddings, slots, seen=None):
    """The loss; a teacher, where one is needed, says what hangs on the image alone."""
    taught = []
    if isinstance(memory, TaughtMemory):
        seen = embeddings.detach() if seen is None else seen
        taught = [torch.stack([seen.roll(1 + view, dims=1) for view in range(2)])]
    loss = memory(embeddings, slots, *taught)
    return sum(loss.values()) if isinstance(loss, dict) else loss


def step(memory, embeddings, indices):
    """Loss and gradient; the memory moves."""
    embeddings = embeddings.clone().requires_grad_()
    loss = loss_of(memory, embeddings, memory.slots_of(indices))
    loss.backward()
    return loss.detach(), embeddings.grad


def vectors(memory):
    return {name: bank.vectors for name, bank in memory.banks.items()}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


@all_memories
def test_gradient_is_that_of_the_vectors_before_the_update(name):
    """By finite differences, in float64, without a backward pass."""
    memory = filled(name, torch.float64)
    embeddings, indices = batch(memory, 4, torch.float64)
    slots = memory.slots_of(indices)
    before = copy.deepcopy(vectors(memory))
    _, gradient = step(memory, embeddings, indices)
    moved = vectors(memory)
    assert all(not torch.equal(moved[bank], before[bank]) for bank in moved)
    for bank in memory.banks:
        memory.banks[bank].reset(before[bank])
    for index in ((0, 0), (1, 5), (3, 15)):
        losses = []
        for offset in (1e-6, -1e-6):
            shifted = embeddings.clone()
            shifted[index] += offset
            losses.append(loss_of(memory, shifted, slots, embeddings).item())
        slope = (losses[0] - losses[1]) / 2e-6
        assert gradient[index].item() == pytest.approx(slope, abs=1e-7)
    assert_same(vectors(memory), before)  # nothing moves without a backward pass


@all_memories
def test_vectors_stay_unit_and_only_those_of_the_batch_move(name):
    memory = filled(name)
    before = copy.deepcopy(vectors(memory))
    embeddings, indices = batch(memory, 3)
    step(memory, embeddings, indices)
    for bank, rows in vectors(memory).items():
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(len(rows)))
        moved = (rows != before[bank]).any(dim=1).sum()
        assert 1 <= moved <= 3


@pytest.mark.parametrize('name', sorted(MEMORIES.keys() - IN_BATCH))
def test_a_batch_in_parts_is_the_batch(name):
    whole, parts = filled(name), filled(name)
    embeddings, indices = batch(whole)
    loss, gradient = step(whole, embeddings, indices)
    parts.batches_per_update = 3
    losses = []
    for part in torch.arange(12).split(4):
        losses.append(step(parts, embeddings[part], indices[part]))
        if len(losses) < 3:
            with pytest.raises(RuntimeError, match=f'of {len(losses)} of 3 accum'):
                parts.snapshot()
    assert_same(vectors(parts), vectors(whole))
    mean = torch.stack([part for part, _ in losses]).mean()
    torch.testing.assert_close(mean, loss)
    gradients = torch.cat([gradient for _, gradient in losses])
    torch.testing.assert_close(gradients / 3, gradient)


def share_of_a_rank(name):
    """Each rank has a contiguous half of the batch."""
    torch.manual_seed(distributed.get_rank())  # no draw may depend on it
    memory = filled(name)
    embeddings, indices = batch(memory)
    half = slice(0, 6) if distributed.get_rank() == 0 else slice(6, 12)
    loss, gradient = step(memory, embeddings[half], indices[half])
    return loss, gradient, vectors(memory)


def shares_of_a_rank():
    return {name: share_of_a_rank(name) for name in MEMORIES}


def known_shares_of_a_rank():
    """As above, but every rank knows the slots of both: nothing else is gathered."""
    gathered = []
    plain = vector_bank.all_gather

    def watch(tensor):
        gathered.append(tensor.ndim)
        return plain(tensor)

    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_bank, 'all_gather', watch)
        for name in MEMORIES:
            memory = filled(name)
            embeddings, indices = batch(memory)
            memory.step_slots = memory.slots_of(indices)
            half = slice(0, 6) if distributed.get_rank() == 0 else slice(6, 12)
            loss, gradient = step(memory, embeddings[half], indices[half])
            found[name] = loss, gradient, vectors(memory)
        memory.step_slots = memory.step_slots.flip(0)
        with pytest.raises(RuntimeError, match=r'default_hooks\.step_slots'):
            step(memory, embeddings[half], indices[half])
    return found, gathered


def test_slots_that_are_known_are_not_exchanged(tmp_path):
    for found, gathered in run_on_two_ranks(known_shares_of_a_rank, tmp_path):
        assert set(gathered) == {2}  # queries only
        for name in MEMORIES:
            memory = filled(name)
            step(memory, *batch(memory))
            assert_same(found[name][2], vectors(memory))


def test_two_processes_are_one(tmp_path):
    ranks = run_on_two_ranks(shares_of_a_rank, tmp_path)
    for name in MEMORIES:
        memory = filled(name)
        loss, gradient = step(memory, *batch(memory))
        losses, gradients, banks = zip(*(rank[name] for rank in ranks), strict=True)
        for bank in banks:
            assert_same(bank, vectors(memory))
        torch.testing.assert_close(torch.stack(losses).mean(), loss)
        torch.testing.assert_close(torch.cat(gradients) / 2, gradient)


@all_memories
def test_snapshot_goes_on_where_it_was_taken(name):
    memory, resumed = filled(name), MEMORIES[name]()
    embeddings, indices = batch(memory)
    step(memory, embeddings, indices)
    resumed.restore(memory.snapshot())
    assert torch.equal(resumed.labels, memory.labels)
    for found, expected in zip(
        step(resumed, embeddings, indices),
        step(memory, embeddings, indices),
        strict=True,
    ):
        assert torch.equal(found, expected)
    assert_same(vectors(resumed), vectors(memory))


@all_memories
def test_non_finite_embeddings_enter_no_vector(name):
    memory = filled(name)
    embeddings, indices = batch(memory)
    embeddings[2], embeddings[5] = float('nan'), float('inf')
    step(memory, embeddings, indices)
    assert all(rows.isfinite().all() for rows in vectors(memory).values())


@all_memories
def test_float32_under_autocast(name):
    memory, plain = filled(name), filled(name)
    embeddings, indices = batch(memory)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss, _ = step(memory, embeddings, indices)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, step(plain, embeddings, indices)[0])
    assert_same(vectors(memory), vectors(plain))


@all_memories
def test_no_part_of_the_state_dict(name):
    memory = filled(name)
    assert not memory.state_dict()
    assert not list(memory.buffers())
    held = sum(rows.numel() for rows in vectors(memory).values())
    assert memory.nbytes == 4 * held > 0


@all_memories
def test_filling_copies(name):
    features, labels, cam_ids = training_set()
    kept = features.clone()
    memory = MEMORIES[name]()
    memory.fill(features, labels, cam_ids, CPU)
    step(memory, *batch(memory))
    assert torch.equal(features, kept)


@all_memories
def test_images_that_are_not_there(name):
    memory = MEMORIES[name]()
    with pytest.raises(RuntimeError, match=r'no labels. ClusterMemoryHook fills it'):
        memory.slots_of(torch.tensor([0]))
    with pytest.raises(RuntimeError, match=r'memory is empty.*ClusterMemoryHook'):
        loss_of(memory, torch.randn(2, 4), torch.tensor([0, 0]))
    if memory.LEARNS_UNCLUSTERED:
        return
    memory = filled(name)
    alone = int(torch.nonzero(memory.labels < 0)[0])
    with pytest.raises(ValueError, match=rf'Images \[{alone}\] belong to no cluster'):
        memory.slots_of(torch.tensor([0, alone]))


def test_one_cluster_begins_as_its_mean_or_as_one_of_its_images():
    features, labels, cam_ids = training_set()
    memory = filled('cluster')
    for label in range(5):
        mean = F.normalize(features[labels == label].mean(dim=0), dim=0)
        torch.testing.assert_close(memory.centroids[label], mean)
    sampled = filled('sample')
    for label in range(5):
        own = features[labels == label]
        assert (own == sampled.centroids[label]).all(dim=1).any()
    assert torch.equal(filled('sample').centroids, sampled.centroids)
    # Another epoch, other clusters: other images are drawn, not always the first.
    firsts = 0
    for seed in range(20):
        mixed = labels[torch.randperm(40, generator=torch.manual_seed(seed))]
        if len(mixed.unique()) == 6:
            sampled.fill(features, mixed, cam_ids, CPU)
            first = features[torch.nonzero(mixed == 0)[0, 0]]
            firsts += torch.equal(sampled.centroids[0], first)
    assert firsts < 15


def test_unknown_initialisation():
    with pytest.raises(ValueError, match=r"init must be in .*, not 'mean'"):
        ClusterMemory(init='mean')
