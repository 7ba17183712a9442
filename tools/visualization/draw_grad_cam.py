"""Draw where two images look alike to the network, by Grad-CAM."""

from run_data import RunData, add_no_cameras, source_parser

from mmreid_cc.visualization import grad_cam_figure, save_figure
from mmreid_cc.visualization.figures import check_format
from mmreid_cc.visualization.rank_lists import first_ranks


def main() -> None:
    parser = source_parser(__doc__, 'grad_cam.png')
    parser.add_argument(
        '--images',
        nargs=2,
        metavar=('FIRST', 'SECOND'),
        help='two image files (default: random queries and their best matches)',
    )
    parser.add_argument('--pairs', type=int, default=4, help='number of random queries')
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the random queries'
    )
    add_no_cameras(parser)
    args = parser.parse_args()
    check_format(args.out)

    run = RunData(args)
    if args.images is not None:
        captions = {tuple(args.images): ''}
    else:
        images = run.test_images(exclude_same_camera=not args.no_cameras)
        captions = first_ranks(images, args.pairs, args.seed)
    maps = [run.similarity_maps(*pair) for pair in captions]
    figure = grad_cam_figure(list(captions), maps, list(captions.values()))
    save_figure(figure, args.out)
    print(f'Grad-CAM of {len(maps)} pairs: {args.out}')


if __name__ == '__main__':
    main()
