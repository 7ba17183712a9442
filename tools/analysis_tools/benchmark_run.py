"""Measure a whole training and a textbook version at the same time.

    python tools/analysis_tools/benchmark_run.py --epochs 3
    python tools/analysis_tools/benchmark_run.py CONFIG --data-root data/cuhk03

Both train the network of the config from the same weights on the same images, each in a
process of its own with one thread and without loader processes, and test after every
epoch. The one that ends first trains again, so that the other never has the machine to
itself. The table shows the CPU seconds, the wall-clock seconds and the peak memory of
each stage. Without a config, they train on the task of the demo on drawn images,
clustered by DBSCAN; the textbook version augments without colour jitter.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stage_meter import Measurement, measure

from mmreid_cc.engine.cfg_options import add_cfg_options, merge_cfg_options

ROOT = Path(__file__).parents[2]
STAGES = ('features', 'labels', 'memory', 'iterations', 'test', 'all')
KINDS = ('ours', 'textbook')
# For configs that find their settings, as that of the drawn images does.
DBSCAN = dict(type='DBSCAN', eps=0.55, min_samples=4, k1=10, k2=3)


class Stages:
    """Costs by stage."""

    def __init__(self) -> None:
        self.costs = {name: Measurement() for name in STAGES}

    @contextmanager
    def __call__(self, name: str) -> Iterator[Measurement]:
        """Measure the body of a ``with`` statement as a part of a stage."""
        with measure() as cost:
            yield cost
        self.costs[name].include(cost)


def prepare(args: argparse.Namespace) -> Any:
    """Return the config of both runs: one process, no workers, a test per epoch."""
    from mmengine.config import Config

    from mmreid_cc.engine.hook_config import cluster_hook
    from mmreid_cc.engine.launch import drop_own_scope, set_data_root

    cfg = Config.fromfile(args.config)
    drop_own_scope(cfg)
    cfg.launcher, cfg.work_dir = 'none', args.folder
    if args.data_root is not None:
        set_data_root(cfg, args.data_root)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False, pin_memory=False)
    cfg.train_cfg.update(max_epochs=args.epochs, val_interval=1)
    cfg.custom_hooks = []
    hook = cluster_hook(cfg)
    if hook is None:
        raise SystemExit(f'{args.config} does not cluster.')
    if hook.clusterer.type != 'DBSCAN':
        hook.clusterer = DBSCAN
    merge_cfg_options(cfg, args.cfg_options)
    cfg.load_from = args.start or cfg.load_from
    return cfg


def run_ours(args: argparse.Namespace, stages: Stages) -> dict:
    """Train by the Runner, as ``tools/train.py`` does."""
    from mmengine.hooks import Hook
    from mmengine.runner import Runner

    import mmreid_cc.engine.hooks.cluster_memory_hook as clustering
    from mmreid_cc.allocator import keep_freed_memory
    from mmreid_cc.models import ClusterMemory

    keep_freed_memory()
    cfg = prepare(args)

    def measured(name: str, function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            with stages(name):
                return function(*args, **kwargs)

        return call

    clustering.extract_features = measured('features', clustering.extract_features)
    clustering.pseudo_labels = measured('labels', clustering.pseudo_labels)
    ClusterMemory.fill = measured('memory', ClusterMemory.fill)

    class Meter(Hook):
        """Measure the stages that are not functions."""

        clusters: list[int] = []
        test: dict = {}

        def before_train_epoch(self, runner: Runner) -> None:
            memory = clustering.memory_of(runner.model)
            self.clusters.append(len(memory.centroids))
            self.stage = stages('iterations')
            self.stage.__enter__()

        def after_train_epoch(self, runner: Runner) -> None:
            self.stage.__exit__(None, None, None)

        def before_val_epoch(self, runner: Runner) -> None:
            self.stage = stages('test')
            self.stage.__enter__()

        def after_val_epoch(self, runner: Runner, metrics: Any = None) -> None:
            self.stage.__exit__(None, None, None)
            self.test = metrics

    runner = Runner.from_cfg(cfg)
    meter = Meter()
    runner.register_hook(meter, priority='VERY_LOW')
    runner.train()
    return dict(clusters=meter.clusters, mAP=meter.test['reid/mAP'])


def run_textbook(args: argparse.Namespace, stages: Stages) -> dict:
    """Train by a plain loop."""
    import torch
    from mmengine.registry import init_default_scope
    from textbook_run import TextbookRun

    from mmreid_cc.engine.hook_config import cluster_hook
    from mmreid_cc.registry import DATASETS, MODELS

    cfg = prepare(args)
    init_default_scope('mmreid_cc')
    model = MODELS.build(cfg.model)
    model.load_state_dict(torch.load(args.start)['state_dict'])
    memory, sampler = cfg.model.head.memory, cfg.train_dataloader.sampler
    hook = cluster_hook(cfg)
    assert hook is not None
    settings = dict(
        {name: hook.clusterer[name] for name in ('k1', 'k2', 'eps', 'min_samples')},
        momentum=memory.momentum,
        temperature=memory.temperature,
        num_clusters=sampler.num_clusters,
        num_instances=sampler.num_instances,
        iterations=sampler.iters_per_epoch,
        test_batch=256,
    )
    options = dict(cfg.optim_wrapper.optimizer)
    optimizer = getattr(torch.optim, options.pop('type'))(
        [p for p in model.parameters() if p.requires_grad], **options
    )
    train, test = (
        DATASETS.build(dict(loader.dataset, pipeline=[]))
        for loader in (cfg.train_dataloader, cfg.val_dataloader)
    )
    (resize,) = (
        step for step in cfg.train_dataloader.dataset.pipeline if step.type == 'Resize'
    )
    run = TextbookRun(model, optimizer, resize.scale[::-1], settings, stages)
    clusters, mean_precision = [], 0.0
    columns = [test.column(name) for name in ('pid', 'cam_id', 'is_query')]
    for _ in range(args.epochs):
        paths = train.column('img_path').tolist()
        clusters.append(run.train(paths, train.column('cam_id')))
        mean_precision = run.test(test.column('img_path').tolist(), *columns)
    return dict(clusters=clusters, mAP=mean_precision)


def child(args: argparse.Namespace) -> None:
    """Do one of the two runs, and write its results into a file."""
    stages = Stages()
    run = run_ours if args.child == 'ours' else run_textbook
    with measure() as cost:
        found = run(args, stages)
    stages.costs['all'] = cost
    # Every stage resets the peak of the process.
    cost.peak_mb = max(part.peak_mb for part in stages.costs.values())
    costs = {name: vars(part) for name, part in stages.costs.items()}
    result = json.dumps(dict(found, costs=costs))
    (Path(args.folder) / f'{args.child}.json').write_text(result)


def compare(args: argparse.Namespace) -> dict:
    """Run both until each has ended once, and collect what they measured.

    A processor is faster for one process than for two. So the run that ends first is
    started again, and its second time is not measured.
    """
    results: dict = {}
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder) / 'start.pth'
        write_start(args, start)
        own = [*sys.argv, '--folder', folder, '--start', str(start)]
        running = {kind: start_child(kind, own, folder) for kind in KINDS}
        try:
            while len(results) < len(KINDS):
                time.sleep(0.2)
                for kind, process in running.items():
                    if process.poll() is None:
                        continue
                    if process.returncode:
                        log = (Path(folder) / f'{kind}.txt').read_text()
                        raise SystemExit(log[-3000:])
                    report = (Path(folder) / f'{kind}.json').read_text()
                    results.setdefault(kind, json.loads(report))
                    running[kind] = start_child(kind, own, folder)
        finally:
            for process in running.values():
                process.kill()
                process.wait()
    return results


def start_child(kind: str, own: list[str], folder: str) -> subprocess.Popen:
    """Start one of the two runs with one thread."""
    environment = dict(os.environ, OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1')
    command = [sys.executable, *own, '--child', kind]
    with (Path(folder) / f'{kind}.txt').open('w') as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


def write_start(args: argparse.Namespace, file: Path) -> None:
    """Write the weights that both start from."""
    import torch
    from mmengine.logging import MMLogger
    from mmengine.registry import init_default_scope

    from mmreid_cc.engine.safe_loading import load_checkpoints_safely, load_file
    from mmreid_cc.engine.weights import weights_of
    from mmreid_cc.registry import DATASETS, MODELS

    load_checkpoints_safely()
    cfg = prepare(args)
    MMLogger.get_current_instance().setLevel('WARNING')  # of how it initialises layers
    init_default_scope('mmreid_cc')
    torch.manual_seed(1)
    model = MODELS.build(cfg.model)
    model.init_weights()
    if cfg.load_from is not None:
        model.load_state_dict(weights_of(load_file(cfg.load_from, 'cpu')), strict=False)
    torch.save(dict(state_dict=model.state_dict()), file)
    DATASETS.build(dict(cfg.val_dataloader.dataset, pipeline=[]))  # draws, if need be


def print_table(results: dict) -> None:
    """Print the costs side by side, and the ratio of CPU seconds."""
    print(
        'stage        ours: CPU s  clock s  peak MB   textbook: CPU s  clock s  peak MB'
    )
    for stage in STAGES:
        ours, textbook = (results[kind]['costs'][stage] for kind in KINDS)
        numbers = [
            costs[name]
            for costs in (ours, textbook)
            for name in ('cpu_seconds', 'seconds', 'peak_mb')
        ]
        ratio = ours['cpu_seconds'] / max(textbook['cpu_seconds'], 1e-9)
        cells = ''.join(f'{number:11.1f}' for number in numbers)
        print(f'{stage:12}{cells}   ratio {ratio:.3f}')
    for kind in KINDS:
        found = results[kind]
        print(f'{kind}: clusters {found["clusters"]}, mAP {found["mAP"]:.1f}')


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'config', nargs='?', default=str(ROOT / 'configs' / 'cc_r18_synthetic.py')
    )
    parser.add_argument('--data-root')
    parser.add_argument('--epochs', type=int, default=2)
    parser.add_argument('--json', type=Path, help='file for the results')
    add_cfg_options(parser)
    parser.add_argument('--child', choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument('--folder', default='.', help=argparse.SUPPRESS)
    parser.add_argument('--start', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(args)
    results = compare(args)
    print_table(results)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(results, indent=1))
    return None


if __name__ == '__main__':
    main()
