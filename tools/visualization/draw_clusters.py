"""Draw the clusters of the training images: large, impure, similar, and the rest."""

from run_data import RunData, source_parser

from mmreid_cc.visualization import cluster_sheet, save_figure
from mmreid_cc.visualization.figures import check_format


def main() -> None:
    parser = source_parser(__doc__, 'clusters.png')
    parser.add_argument('--clusters', type=int, default=4, help='rows of each section')
    parser.add_argument('--members', type=int, default=10, help='images of each row')
    args = parser.parse_args()
    check_format(args.out)

    images = RunData(args).clustered_images()
    figure = cluster_sheet(
        images.paths,
        images.labels,
        images.features,
        images.pids,
        images.cam_ids,
        n_clusters=args.clusters,
        n_members=args.members,
    )
    save_figure(figure, args.out)
    print(f'Clusters: {args.out}')


if __name__ == '__main__':
    main()
