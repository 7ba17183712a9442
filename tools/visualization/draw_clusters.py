"""Draw the clusters of the training images: large, impure, similar, and the rest."""

from run_data import RunData, source_parser

from mmreid_cc.visualization import save_figure
from mmreid_cc.visualization.figures import check_format


def main() -> None:
    parser = source_parser(__doc__, 'clusters.png')
    parser.add_argument(
        '--clusters', type=int, default=4, help='number of rows in each section'
    )
    parser.add_argument(
        '--members', type=int, default=10, help='number of images in each row'
    )
    args = parser.parse_args()
    check_format(args.out)

    images = RunData(args).clustered_images()
    save_figure(images.sheet(args.clusters, args.members), args.out)
    print(f'Clusters: {args.out}')


if __name__ == '__main__':
    main()
