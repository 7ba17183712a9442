"""The runs of check_gpu.py: configs on drawn pedestrians, and a loop that measures."""

import os
import subprocess
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmreid_cc.engine.hooks.compile_backbone_hook import compile_backbone_only
from mmreid_cc.engine.launch import drop_own_scope, share_batch
from mmreid_cc.registry import LOOPS

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sizes:
    """The sizes of all steps.

    Args:
        network: changes of the model of ``cc_r50_market.py``.
        image: height and width.
        clusters: P of a batch.
        instances: K of a batch.
        group: images that batch norm sees together, a quarter of a batch.
        people: the number of drawn people to train on.
        iterations: the number of timed iterations.
        searches: rows and dimensions of the features that are searched.
        share: part of the rows of the last search that look for neighbours.
        extracted: the number of images whose features are extracted.
        run: the number of iterations of the whole run.
        workers: numbers of processes that load images.
    """

    network: dict[str, Any]
    image: tuple[int, int]
    clusters: int
    instances: int
    group: int
    people: int
    iterations: int
    searches: tuple[tuple[int, int], ...]
    share: int
    extracted: int
    run: int
    workers: tuple[int, ...]


FULL = Sizes(
    network={},
    image=(256, 128),
    clusters=16,
    instances=16,
    group=64,
    people=60,
    iterations=12,
    searches=((12_936, 2048), (32_621, 2048), (1_000_000, 256)),
    share=10,
    extracted=12_936,
    run=60,
    workers=(0, 4, 8),
)
TINY = Sizes(
    network=dict(
        backbone=dict(depth=18, stem_channels=8, base_channels=8),
        head=dict(in_channels=64),
    ),
    image=(64, 32),
    clusters=4,
    instances=4,
    group=4,
    people=6,
    iterations=2,
    searches=((300, 32), (500, 32), (2000, 16)),
    share=10,
    extracted=100,
    run=4,
    workers=(0, 1),
)

# How a config asks for either memory format of convolutions.
MEMORY_FORMATS: dict[str, dict[str, Any]] = {
    'channels first': dict(default_hooks__computation__channels_last=False),
    'channels last': dict(default_hooks__computation__channels_last=True),
}


def recipe(sizes: Sizes, folder: Path, **options: Any) -> Config:
    """Return the recipe of the paper on drawn pedestrians, from random weights.

    Args:
        sizes: the sizes of all steps.
        folder: the folder of images and logs.
        **options: further changes, merged last; keys with dots as ``a__b``.

    Returns:
        A config for a Runner, without validation.
    """
    cfg = Config.fromfile(ROOT / 'configs' / 'cc_r50_market.py')
    drop_own_scope(cfg)
    cfg.model.backbone.init_cfg = None
    cfg.merge_from_dict(dict(model=sizes.network))
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.update(
            type='SyntheticReID',
            data_root=str(folder / 'drawn'),
            train_identities=sizes.people,
            test_identities=2,
        )
        for transform in loader.dataset.pipeline:
            if transform.type == 'Resize':
                transform.scale = sizes.image[::-1]
        loader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.batch_size = sizes.clusters * sizes.instances
    cfg.train_dataloader.sampler.update(
        num_clusters=sizes.clusters,
        num_instances=sizes.instances,
        iters_per_epoch=sizes.iterations,
    )
    cfg.default_hooks.cluster_memory.clusterer = dict(
        type='KMeans', n_clusters=2 * sizes.clusters
    )
    cfg.default_hooks.batch_norm_groups.samples_per_bn = sizes.group
    cfg.default_hooks.checkpoint.update(save_best=None)
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.train_cfg.max_epochs = 1
    cfg.merge_from_dict({k.replace('__', '.'): v for k, v in options.items()})
    return cfg


def repeated_batch(cfg: Config) -> Config:
    """Let a recipe run :class:`RepeatedBatchLoop`.

    Args:
        cfg: a config from :func:`recipe`.
    """
    cfg.train_cfg = dict(type='RepeatedBatchLoop', max_epochs=1)
    return cfg


def build(cfg: Config, folder: Path) -> Runner:
    """Build a Runner as tools/train.py does, in this process.

    Args:
        cfg: a config from :func:`recipe`.
        folder: the folder of its log.
    """
    cfg.launcher, cfg.work_dir = 'none', str(folder)
    cfg.experiment_name = f'check_{time.monotonic_ns()}'
    cfg.log_level = 'WARNING'
    compile_backbone_only(cfg)
    share_batch(cfg)
    return Runner.from_cfg(cfg)


@LOOPS.register_module()
class RepeatedBatchLoop(EpochBasedTrainLoop):
    """Train on one batch repeatedly, and time it without a loader.

    Attributes:
        seconds (float): Seconds of an iteration, without the first ones.
        watch (AbstractContextManager): Entered for the timed iterations.
    """

    warm_up = 4
    seconds = 0.0
    watch: AbstractContextManager = nullcontext()

    def run_epoch(self) -> None:
        """Iterate one epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        batch = next(iter(self.dataloader))
        for index in range(self.warm_up):
            self.run_iter(index, batch)
        count = len(self.dataloader)
        synchronize()
        start = time.perf_counter()
        with self.watch:
            for index in range(count):
                self.run_iter(self.warm_up + index, batch)
        synchronize()
        self.seconds = (time.perf_counter() - start) / count
        self._epoch += 1


def synchronize() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def train(
    cfg: Config, work_dir: Path, *arguments: str, processes: int = 1, timeout: float
) -> list[subprocess.Popen]:
    """Start tools/train.py, once or as a group over gloo that shares one GPU.

    Args:
        cfg: a config from :func:`recipe`.
        work_dir: the folder of the run.
        *arguments: further arguments of the tool.
        processes: the number of processes in the group.
        timeout: the seconds after which :func:`finish` kills them.

    Returns:
        The processes; give them to :func:`finish`.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    config = work_dir / 'config.py'
    if processes > 1:
        cfg.env_cfg.dist_cfg.backend = 'gloo'
        arguments = (*arguments, '--launcher', 'pytorch')
    config.write_text(''.join(f'{k} = {v!r}\n' for k, v in cfg.to_dict().items()))
    command = [sys.executable, str(ROOT / 'tools' / 'train.py'), str(config)]
    command += ['--work-dir', str(work_dir), *arguments]
    environment = dict(os.environ)
    paths = [str(ROOT), os.environ.get('PYTHONPATH', '')]
    environment['PYTHONPATH'] = os.pathsep.join(filter(None, paths))
    environment |= dict(
        MASTER_ADDR='127.0.0.1', MASTER_PORT=str(20000 + os.getpid() % 9999)
    )
    started = []
    for rank in range(processes):
        # Both are on the first GPU, which their local rank names.
        ranks = dict(RANK=str(rank), LOCAL_RANK='0', WORLD_SIZE=str(processes))
        with (work_dir / f'rank_{rank}.txt').open('w') as output:
            process = subprocess.Popen(
                command,
                env=environment | ranks,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        process.deadline = time.monotonic() + timeout  # type: ignore[attr-defined]
        process.output = work_dir / f'rank_{rank}.txt'  # type: ignore[attr-defined]
        started.append(process)
    return started


def finish(started: list[Any]) -> None:
    """Wait for processes of :func:`train`.

    Args:
        started: the processes of one run or of several.

    Raises:
        RuntimeError: If a process failed or took too long. The error shows the end of
            what it printed.
    """
    try:
        for process in started:
            process.wait(max(1.0, process.deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f'too slow: {_end(process)}') from error
    finally:
        for process in started:
            process.kill()
            process.wait()
    for process in started:
        if process.returncode:
            raise RuntimeError(f'status {process.returncode}: {_end(process)}')


def _end(process: Any) -> str:
    return process.output.read_text(errors='replace')[-1500:]


def weights(file: Path) -> dict[str, torch.Tensor]:
    """Return the weights of a checkpoint of these runs.

    Args:
        file: the path of the checkpoint.
    """
    return torch.load(file, map_location='cpu', weights_only=False)['state_dict']


def difference(
    found: dict[str, torch.Tensor],
    expected: dict[str, torch.Tensor],
    before: dict[str, torch.Tensor],
) -> float:
    """Return how far weights differ, relative to how far training has moved them.

    Args:
        found: the weights of one run.
        expected: the weights of another run.
        before: the weights from which both runs started.
    """
    names = [name for name in before if before[name].is_floating_point()]

    def distance(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
        parts = [(a[n].cpu().double() - b[n].cpu().double()).norm() for n in names]
        return torch.stack(parts).norm().item()

    return distance(found, expected) / distance(expected, before)
