"""Steps of check_gpu.py that are whole runs of tools/train.py."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from check_steps import Finding
from gpu_recipes import Sizes, difference, finish, recipe, train, weights

_TIMEOUT = 120.0
_PROCESSES_TOLERANCE = 1e-2  # of the weights, relative to how far they have moved


def check_repeatability(sizes: Sizes, folder: Path) -> Iterator[Finding]:
    """Do the same run twice, then resumed, and then in two processes.

    Args:
        sizes: the sizes of all steps.
        folder: for images and logs.

    Yields:
        Whether the weights are the same, bit for bit or nearly.
    """
    batch = 4 * sizes.instances  # small enough for two runs at once
    cfg = recipe(
        sizes,
        folder,
        train_dataloader__batch_size=batch,
        train_dataloader__sampler__num_clusters=4,
        # Two processes share this group, as 8 processes share those of the recipes.
        default_hooks__batch_norm_groups__samples_per_bn=batch,
        randomness__deterministic=True,
        env_cfg__tf32=False,
        env_cfg__cudnn_benchmark=False,
        train_cfg__max_epochs=2,
        train_dataloader__sampler__iters_per_epoch=3,
        # Adam would divide gradients near zero by themselves, so that a difference in
        # the last digit becomes one in the sign of a step.
        optim_wrapper__optimizer=dict(_delete_=True, type='SGD', lr=1e-4, momentum=0.9),
        default_hooks__checkpoint__max_keep_ckpts=3,
        default_hooks__checkpoint__interval=1,
    )
    runs = {name: folder / name for name in ('first', 'second', 'resumed', 'two')}
    started = [
        process
        for name in ('first', 'second')
        for process in train(cfg, runs[name], timeout=_TIMEOUT)
    ]
    finish(started)
    expected = weights(runs['first'] / 'epoch_2.pth')
    before = weights(runs['first'] / 'epoch_1.pth')
    yield _equal('run a second time', weights(runs['second'] / 'epoch_2.pth'), expected)

    runs['resumed'].mkdir()
    shutil.copy(runs['first'] / 'epoch_1.pth', runs['resumed'])
    started = train(cfg, runs['resumed'], '--resume', timeout=_TIMEOUT)
    started += train(cfg, runs['two'], processes=2, timeout=_TIMEOUT)
    finish(started)
    yield _equal('resumed', weights(runs['resumed'] / 'epoch_2.pth'), expected)
    found = weights(runs['two'] / 'epoch_2.pth')
    parameters = {
        name: value for name, value in before.items() if 'running' not in name
    }
    error = difference(found, expected, parameters)
    yield Finding(
        'two processes that share a batch norm group, by gloo',
        error,
        right=error < _PROCESSES_TOLERANCE,
    )


def _equal(
    name: str, found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]
) -> Finding:
    differing = [key for key in expected if not found[key].equal(expected[key])]
    text = (
        f'{len(differing)} of {len(expected)} tensors differ' if differing else 'equal'
    )
    return Finding(name, text, right=not differing)


def measure_run(sizes: Sizes, folder: Path) -> Iterator[Finding]:
    """Measure a run in mixed precision, and how long it waits for images.

    Args:
        sizes: the sizes of all steps.
        folder: for images and logs.

    Yields:
        Seconds of an iteration, those of waiting, and the largest memory.
    """
    workers = sizes.workers[-1]
    cfg = recipe(
        sizes,
        folder,
        train_dataloader__sampler__iters_per_epoch=sizes.run,
        train_dataloader__num_workers=workers,
        train_dataloader__persistent_workers=workers > 0,
        default_hooks__logger__interval=max(1, sizes.run // 6),
    )
    work_dir = folder / 'run'
    finish(train(cfg, work_dir, '--amp', timeout=_TIMEOUT))
    file = next(work_dir.glob('*/vis_data/scalars.json'))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows = [row for row in rows if 'data_time' in row]
    half = rows[len(rows) // 2 :]  # the first ones wait for the workers to start
    for name in ('time', 'data_time'):
        mean = sum(row[name] for row in half) / len(half)
        yield Finding(f'{name}, {workers} workers', mean, 's in an iteration')
    batch = sizes.clusters * sizes.instances
    time = sum(row['time'] for row in half) / len(half)
    yield Finding('speed', batch / time, 'images/s')
    for row in rows[-1:]:
        if 'memory' in row:
            yield Finding('memory', row['memory'] / 1000, 'GB')
