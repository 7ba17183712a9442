"""From a folder of unlabelled crops to a folder for each person."""

import logging
from pathlib import Path

from mmengine.logging import print_log

from mmreid_cc.apis.command_line import (
    add_pattern,
    config_of,
    image_paths,
    inference_parser,
    inferencer_of,
    metadata_of,
)
from mmreid_cc.apis.gallery_clustering import GalleryClusterer
from mmreid_cc.apis.people import new_folder, people_report, write_people
from mmreid_cc.clustering import AutoDBSCAN
from mmreid_cc.datasets.label_files import write_labels


def main() -> None:
    parser = inference_parser(__doc__)
    add_pattern(parser)
    parser.add_argument('crops', help='folder of crops, searched with its sub-folders')
    parser.add_argument('--out', required=True, help='new folder of the people')
    parser.add_argument(
        '--copy', action='store_true', help='copy the files instead of linking to them'
    )
    parser.add_argument(
        '--clusterer',
        choices=['auto', 'config'],
        default='auto',
        help='settings found from the crops, or those that the config trains with',
    )
    args = parser.parse_args()
    if not Path(args.crops).is_dir():
        parser.error(f'crops must be a folder that exists, not {args.crops!r}')

    cfg = config_of(args)
    paths = image_paths([args.crops], args.skip_unreadable)
    cameras = metadata_of(args, paths).get('cam_id')
    auto = args.clusterer == 'auto'
    clusterer = AutoDBSCAN() if auto else GalleryClusterer(cfg, cameras)
    out = new_folder(args.out, args.crops)
    embeddings = inferencer_of(args, cfg)(paths)
    labels = clusterer.fit_predict(embeddings)
    write_people(out, args.crops, paths, labels, args.copy)
    write_labels(out / 'labels.csv', paths, labels)
    people_report(paths, labels, embeddings, repr(clusterer)).save(out / 'report.html')

    people = int(labels.max()) + 1
    unclustered = int((labels < 0).sum())
    if isinstance(clusterer, AutoDBSCAN):
        print(clusterer.explanation())
    print(f'{people} people in {len(paths)} crops, {unclustered} un-clustered: {out}')
    if people:
        print(
            f'Look at {out / "report.html"}: at the largest clusters, which may hold '
            'several people, and at the most similar pairs, which may be one.'
        )
    elif not auto:
        print_log(
            f'{clusterer} found nobody in {len(paths)} crops. Leave out `--clusterer '
            'config`: settings are then found from the crops.',
            logger='current',
            level=logging.WARNING,
        )


if __name__ == '__main__':
    main()
