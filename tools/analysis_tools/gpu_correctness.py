"""Steps of check_gpu.py that check the results of a GPU."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from check_steps import Finding, Skipped
from feature_generator import generate_features
from gpu_recipes import (
    RepeatedBatchLoop,
    Sizes,
    build,
    difference,
    recipe,
    repeated_batch,
)
from synchronisations import SynchronisationCounter
from textbook_memory import hard_loop, momentum_loop
from torch import Tensor

from mmreid_cc.clustering import CLUSTERERS
from mmreid_cc.clustering.exact import HostSearch, exact_neighbors
from mmreid_cc.engine.device_augmentation import DRAWS, DrawAugmentation
from mmreid_cc.models import ClusterMemory
from mmreid_cc.registry import TRANSFORMS

_LOOPS = {'momentum': momentum_loop, 'hard': hard_loop}
_CENTROIDS_TOLERANCE = 1e-5
_GRADIENT_TOLERANCE = 1e-4  # relative to the largest
_LOSS_SCALE = 1024  # as in training with float16
_WEIGHTS_TOLERANCE = 1e-3  # relative to how far a step has moved them


def check_memory(sizes: Sizes, device: str) -> Iterator[Finding]:
    """Compare loss, gradient and centroids with a loop in float64.

    Args:
        sizes: the sizes of all steps.
        device: the device of the memory.

    Yields:
        Largest differences, by update and precision of the embeddings.
    """
    batch, dim, clusters = sizes.clusters * sizes.instances, 2048, 16 * sizes.clusters
    generator = torch.Generator().manual_seed(0)
    centroids = F.normalize(torch.randn(clusters, dim, generator=generator))
    labels = torch.randperm(clusters, generator=generator)[: sizes.clusters]
    labels = labels.repeat_interleave(sizes.instances)
    noise = torch.randn(batch, dim, generator=generator)
    embeddings = centroids[labels] + 4 * noise / dim**0.5  # neither sure nor lost
    for update, loop in _LOOPS.items():
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            for spoilt in (False, True) if dtype == torch.float16 else (False,):
                name = f'{update}, {str(dtype).split(".")[1]}'
                queries = embeddings.to(dtype)
                if spoilt:
                    queries[0] = torch.inf
                    name += ', one embedding infinite'
                yield from _compare_memory(
                    name, update, loop, centroids, queries, labels, device
                )


def _compare_memory(
    name: str,
    update: str,
    loop: object,
    centroids: Tensor,
    queries: Tensor,
    labels: Tensor,
    device: str,
) -> Iterator[Finding]:
    memory = ClusterMemory(update=update)
    memory.reset(centroids.to(device))
    leaf = queries.to(device, copy=True).requires_grad_()
    (_LOSS_SCALE * memory(leaf, labels)).backward()
    assert leaf.grad is not None

    finite = queries.double().isfinite().all(dim=1)
    expected = centroids.double()
    reference = queries[finite].double().detach().requires_grad_()
    unit = F.normalize(reference)
    if finite.all():
        F.cross_entropy(unit @ expected.T / 0.05, labels).backward()
        gradient, wanted = leaf.grad.double().cpu() / _LOSS_SCALE, reference.grad
        assert wanted is not None
        error = ((gradient - wanted).abs().max() / wanted.abs().max()).item()
        limit = _GRADIENT_TOLERANCE if queries.dtype == torch.float32 else 1e-2
        yield Finding(f'{name}: gradient', error, right=error < limit)
    # A cluster with an embedding that is not finite stays where it is, or, where one
    # embedding moves it, passes over that one.
    acting = finite & ((labels != labels[0]) | finite.all() | (update == 'hard'))
    loop(expected, unit.detach()[acting[finite]], labels[acting], 0.1)  # type: ignore[operator]
    error = (memory.centroids.double().cpu() - expected).abs().max().item()
    yield Finding(f'{name}: centroids', error, right=error < _CENTROIDS_TOLERANCE)


def check_search(sizes: Sizes, device: str) -> Iterator[Finding]:
    """Compare neighbours and pseudo labels with those of the CPU.

    Args:
        sizes: the sizes of all steps.
        device: not used; the search takes this process's GPU.

    Yields:
        Shares of rows that are equal.
    """
    n_rows = min(sizes.searches[0][0], 12_936)
    features, _, _ = generate_features(n_rows, 256)
    features[1::7] = features[::7][: len(features[1::7])]  # copies, for ties
    rows, k = np.arange(n_rows), 30
    found = exact_neighbors(features, rows, k, 'neighbours')
    expected = exact_neighbors(features, rows, k, 'neighbours', HostSearch(features))
    for name, a, b in zip(('indices', 'similarities'), found, expected, strict=True):
        equal = float((a == b).all(axis=1).mean())
        yield Finding(f'{name}, {n_rows} × 256', equal, 'of rows equal', equal == 1)
    clusterer = CLUSTERERS.build(dict(type='DBSCAN', k1=k))
    labels = [clusterer.fit_predict(features, lists) for lists in (found, expected)]
    yield Finding('clusters', int(labels[0].max()) + 1)
    yield Finding('labels', 'equal', right=bool((labels[0] == labels[1]).all()))


def check_augmentation(sizes: Sizes, device: str) -> Iterator[Finding]:
    """Compare images that are augmented on the device with those of the CPU.

    Args:
        sizes: the sizes of all steps.
        device: where they are augmented.

    Yields:
        Whether all pixels are equal.
    """
    height, width = sizes.image
    steps = (
        dict(type='RandomFlip', prob=0.5),
        dict(type='PadAndCrop', padding=10),
        dict(type='ReIDRandomErasing', prob=0.5),
    )
    np.random.seed(0)
    draw = DrawAugmentation(*map(TRANSFORMS.build, steps))
    images = torch.randint(0, 256, (64, 3, height, width), dtype=torch.uint8)
    picture = dict(img=np.empty((height, width, 3), np.uint8))
    draws = torch.tensor([draw.transform(picture)[DRAWS] for _ in images])
    found = draw.augment(images.to(device), draws.to(device)).cpu()
    equal = found.equal(draw.augment(images, draws))
    changed = not found.equal(images)
    yield Finding('pixels', 'equal' if equal else 'others', right=equal and changed)


def check_groups(sizes: Sizes, folder: Path) -> Iterator[Finding]:
    """Compare a step by batch norm groups with the same step by pieces of that size.

    Args:
        sizes: the sizes of all steps.
        folder: for images and logs.

    Yields:
        The difference of the weights.
    """
    batch = sizes.clusters * sizes.instances
    sgd = dict(type='SGD', lr=0.1, momentum=0, weight_decay=0)
    start: dict[str, Tensor] = {}
    after = []
    with network_in_float32():
        for parts in (1, batch // sizes.group):
            cfg = recipe(
                sizes,
                folder,
                train_dataloader__sampler__iters_per_epoch=1,
                env_cfg__cudnn_benchmark=False,
                default_hooks__checkpoint=dict(type='AtomicCheckpointHook', interval=9),
            )
            cfg.optim_wrapper.update(optimizer=sgd, accumulative_counts=parts)
            runner = build(cfg, folder / f'groups_{parts}')
            runner.model.init_weights()  # not in `train`, after those of the start
            if start:
                runner.model.load_state_dict(start, strict=False)
            start = {
                name: value.cpu().clone()
                for name, value in runner.model.state_dict().items()
                if 'running' not in name
            }
            runner.train()
            after.append({k: v.cpu() for k, v in runner.model.state_dict().items()})
            del runner
            free_memory()
    error = difference(after[0], after[1], start)
    yield Finding('weights after a step', error, right=error < _WEIGHTS_TOLERANCE)


def count_synchronisations(sizes: Sizes, folder: Path) -> Iterator[Finding]:
    """Count how often an iteration waits for the GPU, and in whose code.

    Args:
        sizes: the sizes of all steps.
        folder: for images and logs.

    Yields:
        Calls in an iteration by package, and their places.
    """
    if not torch.cuda.is_available():
        raise Skipped('PyTorch counts them on a GPU only')
    cfg = repeated_batch(recipe(sizes, folder))
    counter = SynchronisationCounter()
    RepeatedBatchLoop.watch = counter
    try:
        build(cfg, folder / 'synchronisations').train()
    finally:
        RepeatedBatchLoop.watch = nullcontext()
    count = sizes.iterations
    ours = counter.count('mmreid_cc') / count
    yield Finding('by this package', ours, 'in an iteration', ours == 0)
    for (owner, place), calls in counter.places.most_common():
        yield Finding(f'{owner}: {place}', calls / count, 'in an iteration')


@contextmanager
def network_in_float32() -> Iterator[None]:
    """Compute the network without TF32, like everything else."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = False
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def free_memory() -> None:
    """Release the memory of a model."""
    logging.shutdown()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
