"""Draw the embeddings of training images in the plane, by cluster and by camera."""

from run_data import RunData, source_parser

from mmreid_cc.visualization import save_figure
from mmreid_cc.visualization.clustered_images import MAPPED
from mmreid_cc.visualization.embedding_map import METHODS
from mmreid_cc.visualization.figures import check_format


def main() -> None:
    parser = source_parser(__doc__, 'embedding_map.png')
    parser.add_argument('--method', choices=METHODS, default='tsne')
    parser.add_argument(
        '--images',
        type=int,
        default=MAPPED,
        help='largest number of images, drawn at random',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the draw and the map'
    )
    args = parser.parse_args()
    check_format(args.out)

    images = RunData(args).clustered_images()
    save_figure(images.map(args.images, args.method, args.seed), args.out)
    shown = min(args.images, len(images.labels))
    print(f'Map of {shown} of {len(images.labels)} images: {args.out}')


if __name__ == '__main__':
    main()
