"""Test a checkpoint: ``python tools/test.py configs/cc_r50_market.py last.pth``."""

import argparse
from pathlib import Path

import mmengine
from mmengine.config import Config
from mmengine.evaluator import DumpResults

from mmreid_cc.atomic_writing import check_writable
from mmreid_cc.engine.extraction import unwrapped
from mmreid_cc.engine.launch import end_processes
from mmreid_cc.engine.loader_processes import explained_dead_workers, no_workers_left
from mmreid_cc.engine.pretrained import PRETRAINED, pretrained_weights
from mmreid_cc.engine.runner import ReIDTestRunner
from mmreid_cc.engine.starting import (
    check_run,
    config_of_run,
    run_parser,
    start_process,
)

RESULTS = ('.json', '.yaml', '.yml', '.pkl', '.pickle')  # formats of mmengine.dump


def parse_args() -> argparse.Namespace:
    parser = run_parser('Test a model.')
    parser.add_argument(
        'checkpoint',
        help="checkpoint file, or 'none' for the weights that the config names in "
        '`init_cfg`',
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
        help='content of --out: the metrics, or the features of all images (.pkl)',
    )
    args = parser.parse_args()
    if args.out:
        endings = RESULTS if args.out_item == 'metrics' else ('.pkl', '.pickle')
        if not args.out.endswith(endings):
            parser.error(f'--out must end in {", ".join(endings)}, not {args.out!r}')
        check_writable(Path(args.out))
    return args


def add_options(cfg: Config, args: argparse.Namespace) -> None:
    """Put the options of this tool into the config."""
    if args.checkpoint != PRETRAINED:
        cfg.load_from = args.checkpoint
    if args.rerank:
        evaluators = cfg.test_evaluator
        for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
            evaluator.rerank = True


def main() -> None:
    args = parse_args()
    start_process(args)
    cfg = config_of_run(args)
    add_options(cfg, args)
    check_run(cfg)
    runner = ReIDTestRunner.from_cfg(cfg)
    if args.checkpoint == PRETRAINED:
        unwrapped(runner.model).load_state_dict(pretrained_weights(cfg.model))
    if args.out and args.out_item == 'pred':
        runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
    with no_workers_left(), explained_dead_workers():
        metrics = runner.test()
    if args.out and args.out_item == 'metrics' and runner.rank == 0:
        mmengine.dump(metrics, args.out)
    end_processes()


if __name__ == '__main__':
    main()
