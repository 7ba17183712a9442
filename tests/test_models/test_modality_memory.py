"""ADCA and PGM against loops over their formulas, and at their limits."""

import math

import pytest
import torch
import torch.nn.functional as F
from two_ranks import run_on_two_ranks

from mmreid_cc.models import AggregatedMemory, GraphMatchedMemory, ModalityMemory

CPU = torch.device('cpu')
TAU = 0.05


def case(seed=0, visible=4, infrared=3, similar=0.0):
    """60 images in cameras 1, 2 and 3, the last one infrared; clusters of each."""
    generator = torch.Generator().manual_seed(seed)
    cam_ids = torch.tensor([1, 2, 3])[torch.arange(60) % 3]
    infrared_image = cam_ids == 3
    labels = torch.where(
        infrared_image,
        visible + torch.randint(infrared, (60,), generator=generator),
        torch.randint(visible, (60,), generator=generator),
    )
    labels[torch.randperm(60, generator=generator)[:5]] = -1
    centres = torch.randn(max(visible, infrared), 6, generator=generator).double()
    people = torch.where(infrared_image, labels - visible, labels).clamp(min=0)
    features = torch.randn(60, 6, generator=generator).double()
    features = F.normalize(features + similar * centres[people])
    return features, labels, cam_ids


def batch(labels, cam_ids, seed=1):
    """4 visible and 4 infrared queries, mixed, and their images."""
    generator = torch.Generator().manual_seed(seed)
    halves = []
    for of_modality in (cam_ids < 3, cam_ids == 3):
        images = torch.nonzero(of_modality & (labels >= 0)).squeeze(1)
        halves.append(images[torch.randperm(len(images), generator=generator)[:4]])
    indices = torch.stack(halves, dim=1).flatten()
    return torch.randn(8, 6, generator=generator).double(), indices


def centroids(features, labels):
    return {
        label: F.normalize(features[labels == label].mean(dim=0), dim=0)
        for label in labels[labels >= 0].unique().tolist()
    }


def contrast_of(query, positive, memory):
    """−log of the share of a vector among those of a memory, by label."""
    shares = {k: math.exp((query @ v).item() / TAU) for k, v in memory.items()}
    return -math.log(shares[positive] / sum(shares.values()))


def in_modality(memory, labels, cam_ids, infrared):
    own = labels[(cam_ids == 3) == infrared].unique().tolist()
    return {label: vector for label, vector in memory.items() if label in own}


def dual_losses(memory, labels, cam_ids, queries, indices):
    """Means over the queries of a modality, as in the paper."""
    losses = {False: [], True: []}
    for query, index in zip(F.normalize(queries), indices, strict=True):
        infrared = bool(cam_ids[index] == 3)
        vectors = in_modality(memory, labels, cam_ids, infrared)
        losses[infrared].append(contrast_of(query, labels[index].item(), vectors))
    return [sum(losses[infrared]) / len(losses[infrared]) for infrared in (False, True)]


@pytest.mark.parametrize('seed', range(3))
def test_dual_contrast_equals_the_loop(seed):
    features, labels, cam_ids = case(seed)
    memory = ModalityMemory(infrared_cameras=(3,))
    memory.fill(features, labels, cam_ids, CPU)
    queries, indices = batch(labels, cam_ids, seed)
    losses = memory(queries, memory.slots_of(indices))
    expected = dual_losses(
        centroids(features, labels), labels, cam_ids, queries, indices
    )
    found = losses['loss_visible'].item(), losses['loss_infrared'].item()
    assert found == pytest.approx(expected, abs=1e-9)


def aggregated(features, labels, cam_ids, threshold, weight):
    """Vectors after cross-modality memory aggregation."""
    vectors = centroids(features, labels)
    visible = [i for i in range(60) if cam_ids[i] < 3 and labels[i] >= 0]
    infrared = [i for i in range(60) if cam_ids[i] == 3 and labels[i] >= 0]
    counts = {}
    for i in visible:
        for j in infrared:
            if features[i] @ features[j] >= threshold:
                pair = labels[i].item(), labels[j].item()
                counts[pair] = counts.get(pair, 0) + 1
    used = set()
    for pair in sorted(counts, key=lambda pair: (-counts[pair], pair)):
        if not used & set(pair):
            ours, theirs = (vectors[label] for label in pair)
            vectors[pair[0]] = F.normalize(weight * ours + (1 - weight) * theirs, dim=0)
            used.update(pair)
    return vectors, len(used) // 2


@pytest.mark.parametrize('seed', range(3))
def test_aggregation_equals_the_loop(seed):
    features, labels, cam_ids = case(seed, similar=0.7)
    memory = AggregatedMemory((3,), threshold=0.5, weight=0.1, start=0.5)
    plain = ModalityMemory((3,))
    for each in (memory, plain):
        each.fill(features, labels, cam_ids, CPU)
    assert memory.centroids.equal(plain.centroids)  # in the first stage
    memory.progress = 0.5
    memory.fill(features, labels, cam_ids, CPU)
    expected, matched = aggregated(features, labels, cam_ids, 0.5, 0.1)
    assert matched >= 2
    torch.testing.assert_close(
        memory.centroids, torch.stack([expected[label] for label in sorted(expected)])
    )
    queries, indices = batch(labels, cam_ids, seed)
    losses = memory(queries, memory.slots_of(indices))
    found = losses['loss_visible'].item(), losses['loss_infrared'].item()
    loop = dual_losses(expected, labels, cam_ids, queries, indices)
    assert found == pytest.approx(loop, abs=1e-9)


@pytest.mark.parametrize(('visible', 'infrared'), [(3, 3), (2, 4), (5, 2)])
@pytest.mark.parametrize('epoch', [0, 1])
def test_alternate_cross_contrast_equals_the_loop(visible, infrared, epoch):
    features, labels, cam_ids = case(visible=visible, infrared=infrared, similar=0.7)
    memory = GraphMatchedMemory((3,), start=0.5, cross_weight=0.25)
    memory.progress, memory.epoch = 0.5, epoch
    memory.fill(features, labels, cam_ids, CPU)
    # The matches themselves are tested in test_modalities.py.
    matches = memory.matches.tolist()
    assert all((a < visible) != (b < visible) for a, b in enumerate(matches))
    vectors = centroids(features, labels)
    queries, indices = batch(labels, cam_ids)
    losses = memory(queries, memory.slots_of(indices))
    asked = epoch % 2 == 1  # infrared queries, visible memory
    other = in_modality(vectors, labels, cam_ids, not asked)
    cross = [
        contrast_of(query, matches[labels[index].item()], other)
        for query, index in zip(F.normalize(queries), indices, strict=True)
        if bool(cam_ids[index] == 3) == asked
    ]
    assert losses['loss_cross'].item() == pytest.approx(0.25 * sum(cross) / len(cross))
    expected = dual_losses(vectors, labels, cam_ids, queries, indices)
    found = losses['loss_visible'].item(), losses['loss_infrared'].item()
    assert found == pytest.approx(expected, abs=1e-9)


def test_no_cross_contrast_in_the_first_stage():
    features, labels, cam_ids = case()
    memory = GraphMatchedMemory((3,))
    memory.fill(features, labels, cam_ids, CPU)
    queries, indices = batch(labels, cam_ids)
    assert memory(queries, memory.slots_of(indices))['loss_cross'] == 0


MEMORIES = {
    'dual': lambda: ModalityMemory((3,)),
    'adca': lambda: AggregatedMemory((3,), start=0),
    'pgm': lambda: GraphMatchedMemory((3,), start=0),
}
all_memories = pytest.mark.parametrize('name', MEMORIES)


@all_memories
@pytest.mark.parametrize('infrared', [False, True])
def test_a_batch_may_lack_a_modality(name, infrared):
    features, labels, cam_ids = case()
    memory = MEMORIES[name]()
    memory.fill(features, labels, cam_ids, CPU)
    queries, indices = batch(labels, cam_ids)
    kept = (cam_ids[indices] == 3) == infrared
    queries = queries[kept].requires_grad_()
    losses = memory(queries, memory.slots_of(indices[kept]))
    assert losses['loss_visible' if infrared else 'loss_infrared'] == 0
    sum(losses.values()).backward()
    assert queries.grad.isfinite().all()
    assert queries.grad.abs().sum() > 0


@all_memories
@pytest.mark.parametrize('infrared', [False, True])
def test_all_noise_or_one_cluster_in_a_modality(name, infrared):
    features, labels, cam_ids = case(visible=4, infrared=4)
    side = (cam_ids == 3) == infrared
    for label in (-1, 0):
        changed = labels.clone()
        changed[side] = -1
        changed[~side & (labels >= 0)] = labels[~side & (labels >= 0)] % 4
        if label == 0:
            changed[side] = 4
        memory = MEMORIES[name]()
        memory.fill(features, changed, cam_ids, CPU)
        assert len(memory.centroids) == (4 if label < 0 else 5)
        clustered = torch.nonzero(changed >= 0).squeeze(1)
        queries = features[clustered].clone().requires_grad_()
        losses = memory(queries, memory.slots_of(clustered))
        sum(losses.values()).backward()
        assert queries.grad.isfinite().all()
        assert all(loss.isfinite() for loss in losses.values())
        # Nothing to be told apart from.
        assert losses['loss_infrared' if infrared else 'loss_visible'].abs() < 1e-9


@all_memories
def test_data_of_one_modality(name):
    features, labels, cam_ids = case()
    with pytest.raises(ValueError, match=r'no infrared image.*`infrared_cameras`'):
        MEMORIES[name]().fill(features, labels, cam_ids.clamp(max=2), CPU)


def test_a_cluster_of_both_modalities_is_one_of_each():
    features, _, cam_ids = case()
    memory = ModalityMemory((3,))
    memory.fill(features, torch.zeros(60, dtype=torch.long), cam_ids, CPU)
    assert memory.of_infrared.tolist() == [False, True]
    mean = F.normalize(features[cam_ids == 3].mean(dim=0), dim=0)
    torch.testing.assert_close(memory.centroids[1], mean)


@pytest.mark.parametrize(
    ('kind', 'arguments', 'message'),
    [
        (AggregatedMemory, dict(weight=1.5), r'weight must be in \[0, 1\], not 1.5'),
        (GraphMatchedMemory, dict(start=-1), r'start must be in \[0, 1\], not -1'),
        (GraphMatchedMemory, dict(cross_weight=-1), 'cross_weight must not be neg'),
        (ModalityMemory, dict(update='soft'), "update must be in .*, not 'soft'"),
    ],
)
def test_arguments_out_of_range(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind((3,), **arguments)


def test_vectors_that_do_not_fit():
    with pytest.raises(ValueError, match='1 vectors do not fit 2 clusters of a mod'):
        ModalityMemory((3,)).reset(
            torch.eye(1), torch.tensor([0, 1]), torch.tensor([False, True])
        )
    with pytest.raises(ValueError, match='1 matches do not fit 2 vectors'):
        GraphMatchedMemory((3,)).reset(
            torch.eye(2),
            torch.tensor([0, 1]),
            torch.tensor([False, True]),
            torch.tensor([1]),
        )


def moved_by_views(known):
    """Two views of each image, half of the images in each process."""
    features, labels, cam_ids = case()
    memory = MEMORIES['pgm']()
    memory.fill(features, labels, cam_ids, CPU)
    queries, indices = batch(labels, cam_ids)
    if known is not None:
        rank = torch.distributed.get_rank()
        memory.step_slots = memory.slots_of(indices) if known else None
        indices, queries = indices.chunk(2)[rank], queries.chunk(2)[rank]
    views = torch.stack([queries, queries.roll(1, dims=1)], dim=1).flatten(0, 1)
    slots = memory.slots_of(indices.repeat_interleave(2))
    sum(memory(views.requires_grad_(), slots).values()).backward()
    return memory.centroids


def both_ways():
    return moved_by_views(True), moved_by_views(False)


def test_views_in_two_processes(tmp_path):
    expected = moved_by_views(None)
    for found in run_on_two_ranks(both_ways, tmp_path):
        assert all(vectors.equal(expected) for vectors in found)
