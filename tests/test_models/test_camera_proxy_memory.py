"""Camera proxies against loops over the papers' formulas, and at their limits."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmreid_cc.models import CameraProxyMemory, ClusterMemory
from mmreid_cc.models.memories.camera_proxy_memory import split_by_camera

CPU = torch.device('cpu')


def case(n_clusters=4, cameras=(1, 2, 5), seed=0):
    """Features, clusters and cameras of 60 images; embeddings of a batch of 8."""
    generator = torch.Generator().manual_seed(seed)
    features = F.normalize(torch.randn(60, 6, generator=generator).double())
    labels = torch.randint(-1, n_clusters, (60,), generator=generator)
    labels[:n_clusters] = torch.arange(n_clusters)
    cam_ids = torch.tensor(cameras)[
        torch.randint(len(cameras), (60,), generator=generator)
    ]
    cam_ids[labels == 0] = cameras[0]  # a cluster that one camera sees
    clustered = torch.nonzero(labels >= 0).squeeze(1)
    indices = clustered[torch.randint(len(clustered), (7,), generator=generator)]
    indices = torch.cat([torch.tensor([0]), indices])
    embeddings = torch.randn(8, 6, generator=generator).double()
    return features, labels, cam_ids, indices, embeddings


def plain_loop(features, labels, cam_ids, indices, embeddings, negatives, positives):
    """The parts of the loss, one image and one proxy after the other."""
    proxies, clusters = {}, {}
    for label in range(int(labels.max()) + 1):
        own = labels == label
        clusters[label] = F.normalize(features[own].mean(dim=0), dim=0)
        for camera in set(cam_ids[own].tolist()):
            mean = features[own & (cam_ids == camera)].mean(dim=0)
            proxies[label, camera] = F.normalize(mean, dim=0)
    intra, inter, cluster = 0.0, 0.0, 0.0
    for embedding, index in zip(embeddings, indices, strict=True):
        query = F.normalize(embedding, dim=0)
        label, camera = int(labels[index]), int(cam_ids[index])
        e = {key: math.exp(query @ p / 0.07) for key, p in proxies.items()}
        total = sum(e[key] for key in e if key[1] == camera)
        intra -= math.log(e[label, camera] / total)
        hardest = sorted((e[key] for key in e if key[0] != label), reverse=True)
        negative = sum(hardest[:negatives])
        others = [e[key] for key in e if key[0] == label and key[1] != camera]
        for p in others:
            contrasted = sum(others) if positives == 'joint' else p
            inter -= math.log(p / (contrasted + negative)) / len(others)
        c = {k: math.exp(query @ centroid / 0.05) for k, centroid in clusters.items()}
        cluster -= math.log(c[label] / sum(c.values()))
    n = len(embeddings)
    return intra / n, inter / n, cluster / n


@pytest.mark.parametrize('positives', ['joint', 'separate'])
@pytest.mark.parametrize('negatives', [1, 3, 50])
@pytest.mark.parametrize('n_clusters', [1, 2, 4])
@pytest.mark.parametrize('cameras', [(3,), (1, 2), (-1, 2, 5)])
def test_equals_the_loop_of_the_formulas(n_clusters, cameras, negatives, positives):
    for seed in range(3):
        features, labels, cam_ids, indices, embeddings = case(n_clusters, cameras, seed)
        parts = plain_loop(
            features, labels, cam_ids, indices, embeddings, negatives, positives
        )
        for weights in ((1, 0.5, 0), (0, 0.5, 1), (0.3, 0, 0), (0, 0, 2)):
            memory = CameraProxyMemory(
                num_negatives=negatives,
                positives=positives,
                **dict(
                    zip(
                        ('intra_weight', 'inter_weight', 'cluster_weight'),
                        weights,
                        strict=True,
                    )
                ),
            )
            memory.fill(features, labels, cam_ids, CPU)
            inputs = embeddings.clone().requires_grad_()
            loss = memory(inputs, memory.slots_of(indices))
            expected = sum(w * p for w, p in zip(weights, parts, strict=True))
            assert loss.item() == pytest.approx(expected, abs=1e-9)
            loss.backward()
            assert inputs.grad.isfinite().all()


def test_queries_move_their_own_proxy_one_after_the_other():
    features, labels, cam_ids, indices, embeddings = case()
    memory = CameraProxyMemory(momentum=0.2, cluster_weight=1, cluster_momentum=0.4)
    memory.fill(features, labels, cam_ids, CPU)
    proxies = memory.centroids.clone()
    clusters = memory.banks['clusters'].vectors.clone()
    _, of_clusters, of_cameras = split_by_camera(labels, cam_ids)
    memory(embeddings.requires_grad_(), memory.slots_of(indices)).backward()
    for query, index in zip(F.normalize(embeddings), indices, strict=True):
        label, camera = labels[index], cam_ids[index]
        proxy = int(((of_clusters == label) & (of_cameras == camera)).nonzero())
        proxies[proxy] = F.normalize(0.2 * proxies[proxy] + 0.8 * query, dim=0)
        clusters[label] = F.normalize(0.4 * clusters[label] + 0.6 * query, dim=0)
    torch.testing.assert_close(memory.centroids, proxies.detach())
    torch.testing.assert_close(memory.banks['clusters'].vectors, clusters.detach())


def test_one_camera_is_the_cluster_memory():
    features, labels, cam_ids, indices, embeddings = case(cameras=(-1,))
    memory = CameraProxyMemory(momentum=0.1, temperature=0.05)
    plain = ClusterMemory(momentum=0.1, temperature=0.05)
    losses = []
    for each in (memory, plain):
        each.fill(features, labels, cam_ids, CPU)
        inputs = embeddings.clone().requires_grad_()
        losses.append(each(inputs, each.slots_of(indices)))
        losses[-1].backward()
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(memory.centroids, plain.centroids)


def test_split_by_camera():
    parts, clusters, cameras = split_by_camera(
        torch.tensor([1, 0, -1, 1, 0, 1]), torch.tensor([2, 9, 9, -1, 9, 2])
    )
    assert parts.tolist() == [2, 0, -1, 1, 0, 2]
    assert clusters.tolist() == [0, 1, 1]
    assert cameras.tolist() == [9, -1, 2]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(momentum=-1), r'momentum must be in \[0, 1\], not -1'),
        (dict(cluster_momentum=2), r'cluster_momentum must be in \[0, 1\], not 2'),
        (dict(cluster_temperature=0), 'cluster_temperature must be positive, not 0'),
        (dict(num_negatives=0), 'num_negatives must be at least 1, not 0'),
        (dict(positives='all'), r"positives must be in .*, not 'all'"),
        (dict(inter_weight=-1), r'must not be negative.*\(1.0, -1, 0.0\)'),
        (dict(intra_weight=0, inter_weight=0), r'and not all 0, got \(0, 0, 0.0\)'),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CameraProxyMemory(**arguments)


def test_errors():
    labels, cam_ids = torch.tensor([0, 1, 1]), torch.tensor([1, 1, 2])
    memory = CameraProxyMemory(cluster_weight=1)
    with pytest.raises(ValueError, match='2 proxies do not fit 3 pairs of cluster and'):
        memory.reset(torch.eye(2), labels, cam_ids)
    with pytest.raises(
        ValueError, match='needs `clusters`, because `cluster_weight` is not 0'
    ):
        memory.reset(torch.eye(3), labels, cam_ids)
    with pytest.raises(ValueError, match='Label 1 has no centroid: there are 1'):
        memory.reset(torch.eye(3), labels, cam_ids, torch.eye(1, 3))
    with pytest.raises(ValueError, match='2 cameras do not fit 3 labels'):
        memory.fill(torch.eye(3), labels, cam_ids[:2], CPU)
