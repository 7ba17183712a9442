"""Test a checkpoint: ``python tools/test.py configs/cc_r50_market.py last.pth``."""

import argparse
import os
from pathlib import Path

import mmengine
from mmengine.config import Config
from mmengine.evaluator import DumpResults
from mmengine.runner import Runner

from mmreid_cc.allocator import keep_freed_memory
from mmreid_cc.engine.arithmetic import set_arithmetic
from mmreid_cc.engine.cfg_options import add_cfg_options, merge_cfg_options
from mmreid_cc.engine.config_check import check_config
from mmreid_cc.engine.dead_workers import explained_dead_workers
from mmreid_cc.engine.launch import (
    check_work_dir,
    drop_own_scope,
    end_processes,
    prepare_processes,
    set_data_root,
)
from mmreid_cc.engine.safe_loading import load_checkpoints_safely
from mmreid_cc.engine.worker_files import share_temporary_folder


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test (and evaluate) a model')
    parser.add_argument('config', help='config file path')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--work-dir', help='folder of the log; work_dirs/<config> if none'
    )
    parser.add_argument(
        '--data-root', help='folder of the data set, instead of those in the config'
    )
    parser.add_argument(
        '--rerank',
        action='store_true',
        help='also report the metrics after k-reciprocal re-ranking',
    )
    parser.add_argument('--out', help='file for the results: .json, .yaml or .pkl')
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        default='metrics',
        help='what --out holds: the metrics, or the features of all images (.pkl)',
    )
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none'
    )
    # Launchers that pass no environment variable pass this.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """Let the command line override the config."""
    drop_own_scope(cfg)
    cfg.launcher = args.launcher
    cfg.load_from = args.checkpoint
    cfg.work_dir = args.work_dir or cfg.get(
        'work_dir', os.path.join('work_dirs', Path(args.config).stem)
    )
    if args.data_root is not None:
        set_data_root(cfg, args.data_root)
    if args.rerank:
        evaluators = cfg.test_evaluator
        for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
            evaluator.rerank = True
    merge_cfg_options(cfg, args.cfg_options)
    return cfg


def main() -> None:
    args = parse_args()
    keep_freed_memory()
    share_temporary_folder()
    load_checkpoints_safely()
    cfg = merge_args(Config.fromfile(args.config), args)
    check_config(cfg)
    check_work_dir(cfg.work_dir)
    set_arithmetic(cfg)
    prepare_processes(cfg)
    runner = Runner.from_cfg(cfg)
    if args.out and args.out_item == 'pred':
        runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
    with explained_dead_workers():
        metrics = runner.test()
    if args.out and args.out_item == 'metrics' and runner.rank == 0:
        mmengine.dump(metrics, args.out)
    end_processes()


if __name__ == '__main__':
    main()
