"""Plot the CMC and the precision at each recall."""

from run_data import RunData, add_no_cameras, source_parser

from mmreid_cc.visualization import cmc_and_precision, save_figure
from mmreid_cc.visualization.figures import check_format


def main() -> None:
    parser = source_parser(__doc__, 'cmc.png')
    add_no_cameras(parser)
    args = parser.parse_args()
    check_format(args.out)

    images = RunData(args).test_images(exclude_same_camera=not args.no_cameras)
    save_figure(cmc_and_precision(images), args.out)
    print(f'CMC and precision: {args.out}')


if __name__ == '__main__':
    main()
