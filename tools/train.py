"""Train a model: ``python tools/train.py configs/cc_r50_market.py``."""

import argparse
import os
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from mmreid_cc.allocator import keep_freed_memory
from mmreid_cc.engine.arithmetic import mixed_precision_wrapper, set_arithmetic
from mmreid_cc.engine.cfg_options import add_cfg_options, merge_cfg_options
from mmreid_cc.engine.config_check import check_config
from mmreid_cc.engine.dead_workers import explained_dead_workers
from mmreid_cc.engine.hooks.compile_backbone_hook import compile_backbone_only
from mmreid_cc.engine.launch import (
    check_work_dir,
    drop_own_scope,
    end_processes,
    prepare_processes,
    set_data_root,
    share_batch,
)
from mmreid_cc.engine.resuming import newest_whole_checkpoint
from mmreid_cc.engine.safe_loading import load_checkpoints_safely
from mmreid_cc.engine.worker_files import share_temporary_folder


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a model')
    parser.add_argument('config', help='train config file path')
    parser.add_argument(
        '--work-dir', help='folder of logs and checkpoints; work_dirs/<config> if none'
    )
    parser.add_argument(
        '--data-root', help='folder of the data set, instead of those in the config'
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from this checkpoint, or from the latest in the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='mixed-precision training')
    parser.add_argument(
        '--no-validate', action='store_true', help='do not test while training'
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
    cfg.work_dir = args.work_dir or cfg.get(
        'work_dir', os.path.join('work_dirs', Path(args.config).stem)
    )
    if args.data_root is not None:
        set_data_root(cfg, args.data_root)
    if args.no_validate:
        # The test loader stays: features are extracted by its pipeline.
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        cfg.optim_wrapper.type = mixed_precision_wrapper()
    merge_cfg_options(cfg, args.cfg_options)
    if args.resume == 'auto':
        cfg.load_from = newest_whole_checkpoint(cfg.work_dir)
        cfg.resume = cfg.load_from is not None  # an empty folder: from the beginning
    elif args.resume is not None:
        cfg.load_from, cfg.resume = args.resume, True
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
    compile_backbone_only(cfg)
    prepare_processes(cfg)
    share_batch(cfg)
    runner = Runner.from_cfg(cfg)
    with explained_dead_workers():
        runner.train()
    end_processes()


if __name__ == '__main__':
    main()
