"""Plot histograms of the similarity of images of one person, and of two."""

from run_data import RunData, add_no_cameras, source_parser

from mmreid_cc.visualization import save_figure, similarity_histogram
from mmreid_cc.visualization.figures import check_format


def main() -> None:
    parser = source_parser(__doc__, 'similarities.png')
    add_no_cameras(parser)
    args = parser.parse_args()
    check_format(args.out)

    images = RunData(args).test_images(exclude_same_camera=not args.no_cameras)
    save_figure(similarity_histogram(images), args.out)
    print(f'Similarities: {args.out}')


if __name__ == '__main__':
    main()
