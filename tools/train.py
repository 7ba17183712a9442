"""Train a model: ``python tools/train.py configs/cc_r50_market.py``."""

import argparse

from mmengine.config import Config

from mmreid_cc.engine.hooks.compile_backbone_hook import compile_backbone_only
from mmreid_cc.engine.launch import end_processes, share_batch
from mmreid_cc.engine.loader_processes import explained_dead_workers, no_workers_left
from mmreid_cc.engine.precision_settings import mixed_precision_wrapper
from mmreid_cc.engine.resuming import newest_whole_checkpoint
from mmreid_cc.engine.runner import ReIDRunner
from mmreid_cc.engine.starting import (
    check_run,
    config_of_run,
    run_parser,
    start_process,
)
from mmreid_cc.engine.work_dir_lock import held_work_dir


def parse_args() -> argparse.Namespace:
    parser = run_parser('Train a model.')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='continue from this checkpoint; without a value, from the latest one in '
        'the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='train in mixed precision')
    parser.add_argument(
        '--no-validate', action='store_true', help='do not test during the training'
    )
    return parser.parse_args()


def add_options(cfg: Config, args: argparse.Namespace) -> None:
    """Put the options of this tool into the config."""
    if args.no_validate:
        # The test loader stays: features are extracted by its pipeline.
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        cfg.optim_wrapper.type = mixed_precision_wrapper()
    if args.resume == 'auto':
        cfg.load_from = newest_whole_checkpoint(cfg.work_dir)
        cfg.resume = cfg.load_from is not None  # an empty folder: from the beginning
    elif args.resume is not None:
        cfg.load_from, cfg.resume = args.resume, True


def main() -> None:
    args = parse_args()
    start_process(args)
    cfg = config_of_run(args)
    add_options(cfg, args)
    compile_backbone_only(cfg)
    check_run(cfg)
    share_batch(cfg)
    runner = ReIDRunner.from_cfg(cfg)
    with held_work_dir(runner), no_workers_left(), explained_dead_workers():
        runner.train()
    end_processes()


if __name__ == '__main__':
    main()
