"""Draw the embeddings of training images in the plane, by cluster and by camera."""

import numpy as np
from run_data import RunData, source_parser

from mmreid_cc.visualization import embedding_map, project, save_figure
from mmreid_cc.visualization.embedding_map import METHODS
from mmreid_cc.visualization.figures import check_format


def main() -> None:
    parser = source_parser(__doc__, 'embedding_map.png')
    parser.add_argument('--method', choices=METHODS, default='tsne')
    parser.add_argument('--images', type=int, default=2000, help='at most, by chance')
    parser.add_argument('--seed', type=int, default=0, help='of the choice and the map')
    args = parser.parse_args()
    check_format(args.out)

    images = RunData(args).clustered_images()
    drawn = np.random.default_rng(args.seed).permutation(len(images.labels))
    shown = np.sort(drawn[: args.images])
    places = project(images.features[shown], args.method, args.seed)
    save_figure(embedding_map(places, images.groups(shown)), args.out)
    print(f'Map of {len(shown)} of {len(images.labels)} images: {args.out}')


if __name__ == '__main__':
    main()
