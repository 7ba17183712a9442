"""Draw what a checkpoint ranks first, for some queries of the test set."""

import argparse

import numpy as np
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmreid_cc.engine import extract_features
from mmreid_cc.engine.launch import set_data_root
from mmreid_cc.engine.safe_loading import load_file
from mmreid_cc.engine.weights import check_weights, weights_of
from mmreid_cc.registry import MODELS
from mmreid_cc.visualization import draw_rank_lists, rank_lists


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file path')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--out', default='rank_lists.png', help='picture: png, svg, pdf'
    )
    parser.add_argument('--data-root', help='folder of the data set')
    parser.add_argument('--queries', type=int, default=8, help='number of queries')
    parser.add_argument(
        '--no-cameras',
        action='store_true',
        help='do not leave out images of the same identity and camera',
    )
    parser.add_argument('--seed', type=int, default=0, help='of the choice of queries')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = Config.fromfile(args.config)
    if args.data_root is not None:
        set_data_root(cfg, args.data_root)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmreid_cc'))
    model = MODELS.build(cfg.model).to(get_device())
    weights = weights_of(load_file(args.checkpoint, 'cpu'))
    check_weights(model, weights, args.checkpoint, complete=True)
    model.load_state_dict(weights)
    loader = Runner.build_dataloader(cfg.test_dataloader)
    dataset = loader.dataset

    is_query = dataset.column('is_query')
    queries = np.flatnonzero(is_query)
    count = min(args.queries, len(queries))
    chosen = np.random.default_rng(args.seed).choice(queries, count, replace=False)
    lists = rank_lists(
        extract_features(model, loader).numpy(),
        dataset.column('pid'),
        dataset.column('cam_id'),
        is_query,
        dataset.column('img_path'),
        np.sort(chosen).tolist(),
        exclude_same_camera=not args.no_cameras,
    )
    draw_rank_lists(lists, args.out)
    print(f'Rank lists of {count} queries drawn at random: {args.out}')


if __name__ == '__main__':
    main()
