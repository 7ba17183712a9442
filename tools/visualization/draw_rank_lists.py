"""Draw what is ranked first for the best, the worst and some random queries."""

from run_data import RunData, add_no_cameras, source_parser

from mmreid_cc.visualization import (
    choose_queries,
    rank_list_sheet,
    rank_lists,
    save_figure,
)
from mmreid_cc.visualization.figures import check_format
from mmreid_cc.visualization.rank_lists import TITLES


def main() -> None:
    parser = source_parser(__doc__, 'rank_lists.png')
    parser.add_argument(
        '--queries', type=int, default=4, help='number of queries of each kind'
    )
    parser.add_argument(
        '--kinds',
        nargs='+',
        choices=TITLES,
        default=list(TITLES),
        help='which queries to draw',
    )
    parser.add_argument('--topk', type=int, default=10, help='length of each list')
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the random queries'
    )
    add_no_cameras(parser)
    args = parser.parse_args()
    check_format(args.out)

    images = RunData(args).test_images(exclude_same_camera=not args.no_cameras)
    chosen = choose_queries(images, args.queries, args.seed)
    sections = {
        TITLES[kind]: rank_lists(images, chosen[kind], args.topk) for kind in args.kinds
    }
    save_figure(rank_list_sheet(sections), args.out)
    print(f'Rank lists: {args.out}')


if __name__ == '__main__':
    main()
