"""Steps of check_gpu.py that measure how fast the parts of a run are."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from check_steps import Finding, Skipped
from gpu_correctness import free_memory, network_in_float32
from gpu_recipes import (
    MEMORY_FORMATS,
    Sizes,
    build,
    recipe,
    repeated_batch,
)
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmreid_cc.clustering import Share, knn
from mmreid_cc.datasets.image_cache import ImageCache
from mmreid_cc.engine import extract_features
from mmreid_cc.engine.device_augmentation import draw_only
from mmreid_cc.engine.extraction import unwrapped
from mmreid_cc.engine.precision_settings import mixed_precision_wrapper
from mmreid_cc.models.computation import prepare_computation
from mmreid_cc.registry import HOOKS

_WAYS = 'decoded each time', 'from memory', 'from memory, augmented on the device'


@HOOKS.register_module()
class GroupsInTurnHook(Hook):
    """Pass batch norm groups through the network one after the other, as on a CPU."""

    def before_train(self, runner: Runner) -> None:
        """Change the groups, after ``BatchNormGroupsHook``."""
        unwrapped(runner.model).batch_norm_groups.at_once = False


def measure_training(sizes: Sizes, folder: Path) -> Iterator[Finding]:
    """Measure images per second and peak memory of training on one batch.

    Args:
        sizes: the sizes of all steps.
        folder: for images and logs.

    Yields:
        Both, for each setting.
    """
    first, last = MEMORY_FORMATS
    wrapper = mixed_precision_wrapper()
    half = 'bfloat16' if wrapper == 'BFloat16OptimWrapper' else 'float16'
    plain_adam = dict(optim_wrapper__optimizer__fused=False)
    no_groups = dict(default_hooks__batch_norm_groups__samples_per_bn=None)
    in_turn = dict(custom_hooks=[dict(type='GroupsInTurnHook', priority='LOW')])
    settings: list[tuple[str, str, str, dict[str, Any]]] = [
        ('float32', 'OptimWrapper', first, {}),
        ('TF32', 'OptimWrapper', first, {}),
        ('TF32', 'OptimWrapper', last, {}),
        (half, wrapper, first, {}),
        (half, wrapper, last, {}),
        (f'{half}, no batch norm groups', wrapper, last, no_groups),
        (f'{half}, batch norm groups in turn', wrapper, last, in_turn),
        (f'{half}, Adam not fused', wrapper, last, plain_adam),
    ]
    for precision, wrapper, memory_format, options in settings:
        yield from _measure(sizes, folder, precision, wrapper, memory_format, options)


def measure_compiled(sizes: Sizes, folder: Path) -> Iterator[Finding]:
    """Measure the same with a compiled backbone.

    Args:
        sizes: the sizes of all steps.
        folder: for images and logs.

    Yields:
        Images per second and peak memory, in mixed precision.
    """
    # On a CPU, to see that it can be asked for.
    compiled = True if torch.cuda.is_available() else dict(backend='eager')
    wrapper = mixed_precision_wrapper()
    yield from _measure(
        sizes, folder, 'compiled', wrapper, 'channels last', dict(compile=compiled)
    )


def _measure(
    sizes: Sizes,
    folder: Path,
    precision: str,
    wrapper: str,
    memory_format: str,
    options: dict[str, Any],
) -> Iterator[Finding]:
    name = f'{precision}, {memory_format}'
    cfg = repeated_batch(recipe(sizes, folder))
    cfg.optim_wrapper.type = wrapper
    changes = MEMORY_FORMATS[memory_format] | options
    cfg.merge_from_dict({k.replace('__', '.'): v for k, v in changes.items()})
    try:
        with network_in_float32() if precision == 'float32' else _tf32():
            speed, peak = _train(cfg, folder / 'speed')
    except torch.OutOfMemoryError as error:
        free_memory()
        yield Finding(name, f'out of memory: {str(error).splitlines()[0]}')
        return
    yield Finding(name, speed, 'images/s')
    if peak:
        yield Finding(f'{name}: peak', peak, 'GB')


def _train(cfg: Any, folder: Path) -> tuple[float, float]:
    """Return images per second, and peak memory in GB (0 on a CPU)."""
    batch = cfg.train_dataloader.batch_size
    runner = build(cfg, folder)
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    runner.train()
    speed = batch / runner.train_loop.seconds
    peak = torch.cuda.max_memory_allocated() / 1e9 if on_gpu else 0.0
    del runner
    torch._dynamo.reset()
    free_memory()
    return speed, peak


class _tf32:
    def __enter__(self) -> None:
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        self.before = matmul.allow_tf32, cudnn.allow_tf32
        matmul.allow_tf32 = cudnn.allow_tf32 = True

    def __exit__(self, *_: object) -> None:
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        matmul.allow_tf32, cudnn.allow_tf32 = self.before


class NoiseImages(Dataset):
    """Images of noise in the form of a pipeline's output.

    Args:
        count: the number of images.
        image: height and width.
    """

    def __init__(self, count: int, image: tuple[int, int]) -> None:
        self.count = count
        generator = torch.Generator().manual_seed(0)
        size = (64, 3, *image)
        self.images = torch.randint(0, 256, size, generator=generator).byte()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = DataSample(metainfo=dict(sample_idx=index))
        return dict(inputs=self.images[index % len(self.images)], data_samples=sample)


def collate(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Collate a batch as MMEngine's ``default_collate`` does.

    Args:
        samples: samples of :class:`NoiseImages`.
    """
    inputs = torch.stack([sample['inputs'] for sample in samples])
    return dict(inputs=inputs, data_samples=[s['data_samples'] for s in samples])


def measure_extraction(sizes: Sizes, folder: Path) -> Iterator[Finding]:
    """Measure the seconds for the features of as many images as Market-1501 has.

    Args:
        sizes: the sizes of all steps.
        folder: for images and logs.

    Yields:
        Seconds and images a second, by precision.
    """
    model = build(recipe(sizes, folder), folder / 'extraction').model
    prepare_computation(model)
    images = NoiseImages(sizes.extracted, sizes.image)
    workers = sizes.workers[1]
    loader = DataLoader(
        images, 256, num_workers=workers, collate_fn=collate, pin_memory=True
    )
    features: dict[str, Tensor] = {}
    for name, dtype in {'TF32': None, 'bfloat16': torch.bfloat16}.items():
        model.inference_dtype = dtype
        start = time.perf_counter()
        with _tf32():
            features[name] = extract_features(model, loader)
        seconds = time.perf_counter() - start
        yield Finding(f'{name}: {len(images)} images', seconds, 's')
        yield Finding(f'{name}: speed', len(images) / seconds, 'images/s')
    cosine = (features['TF32'] * features['bfloat16']).sum(dim=1).min().item()
    yield Finding('least cosine of the two', cosine, right=cosine > 0.99)
    free_memory()


def measure_search(sizes: Sizes, device: str) -> Iterator[Finding]:
    """Measure the seconds of the exact search for 30 neighbours.

    Args:
        sizes: the sizes of all steps.
        device: where the features are drawn.

    Yields:
        Seconds by size.
    """
    for n_rows, dim in sizes.searches:
        features = _identities(n_rows, dim, device)
        large = (n_rows, dim) == sizes.searches[-1]
        if large and device == 'cpu' and n_rows > 100_000:
            raise Skipped('a million rows take hours on a CPU')
        share = Share(0, sizes.share if large else 1, lambda rows: rows)
        start = time.perf_counter()
        knn(features, 30, method='exact', share=share)
        seconds = time.perf_counter() - start
        part = f', neighbours of 1/{sizes.share} of them' if large else ''
        yield Finding(f'{n_rows} × {dim}{part}', seconds, 's')
        free_memory()


def _identities(n_rows: int, dim: int, device: str) -> np.ndarray:
    """Draw features of some 20 images of each identity on the device."""
    generator = torch.Generator(device).manual_seed(0)
    options: dict[str, Any] = dict(generator=generator, device=device)
    centres = torch.randn(max(1, n_rows // 20), dim, **options)
    of_row = torch.randint(0, len(centres), (n_rows,), **options)
    features = torch.randn(n_rows, dim, **options).add_(centres[of_row])
    return torch.nn.functional.normalize(features).cpu().numpy()


def keep_all(dataset: Any, size: tuple[int, int]) -> None:
    """Decode and resize all images of a data set, and keep them.

    Args:
        dataset: the training set.
        size: height and width.
    """
    dataset.keep_images(ImageCache(len(dataset), size))
    for index in range(len(dataset)):
        dataset[index]


def measure_loading(sizes: Sizes, folder: Path) -> Iterator[Finding]:
    """Measure the images per second of the training loader, by its processes.

    Args:
        sizes: the sizes of all steps.
        folder: for images and logs.

    Yields:
        Images a second, for each way to load them.
    """
    for name in _WAYS:
        for workers in sizes.workers:
            cfg = recipe(
                sizes,
                folder,
                train_dataloader__sampler__iters_per_epoch=4 + 4 * workers,
                train_dataloader__num_workers=workers,
            )
            runner = build(cfg, folder / 'loading')
            loader = runner.build_dataloader(cfg.train_dataloader, seed=0)
            dataset: Any = loader.dataset
            if name != 'decoded each time':
                keep_all(dataset, sizes.image)
            if name == 'from memory, augmented on the device':
                draw_only(dataset.pipeline.transforms)
            labels = np.arange(len(dataset)) % (2 * sizes.clusters)
            loader.sampler.set_labels(labels)
            batches = iter(loader)
            for _ in range(1 + 2 * workers):  # they were begun at the same time
                next(batches)
            start = time.perf_counter()
            count = sum(len(batch['inputs']) for batch in batches)
            speed = count / (time.perf_counter() - start)
            yield Finding(f'{name}, {workers} workers', speed, 'images/s')
            free_memory()
