"""From a folder of unlabelled crops to a folder for each person."""

import logging
from pathlib import Path

from mmengine.logging import print_log

from mmreid_cc.apis.cameras import known_numbers
from mmreid_cc.apis.command_line import (
    add_pattern,
    config_of,
    image_paths,
    inference_parser,
    inferencer_of,
    listed_images,
    metadata_of,
)
from mmreid_cc.apis.gallery_clustering import GalleryClusterer
from mmreid_cc.apis.people import new_folder, people_report, write_people
from mmreid_cc.clustering import clustering_quality
from mmreid_cc.datasets.label_files import write_labels


def main() -> None:
    parser = inference_parser(__doc__)
    add_pattern(parser)
    parser.add_argument(
        'crops',
        help='folder of crops, searched with its sub-folders; or a CSV file that lists '
        'them, with the columns path,pid,cam,track,time',
    )
    parser.add_argument('--out', required=True, help='new folder of the people')
    parser.add_argument(
        '--copy', action='store_true', help='copy the files instead of linking to them'
    )
    args = parser.parse_args()
    is_list = args.crops.lower().endswith('.csv') and Path(args.crops).is_file()
    if not is_list and not Path(args.crops).is_dir():
        parser.error(
            f'crops must be a folder or a CSV file that exists, not {args.crops!r}'
        )

    cfg = config_of(args)
    folder = Path(args.crops).parent if is_list else Path(args.crops)
    if is_list:
        paths, metadata = listed_images(args, args.crops)
    else:
        paths = image_paths([args.crops], args.skip_unreadable)
        metadata = metadata_of(args, paths)
    known = (metadata.get(name) for name in ('cam_id', 'track', 'time'))
    clusterer = GalleryClusterer(cfg, *known)
    out = new_folder(args.out, folder)
    embeddings = inferencer_of(args, cfg)(paths)
    labels = clusterer.fit_predict(embeddings)
    write_people(out, folder, paths, labels, args.copy)
    write_labels(out / 'labels.csv', paths, labels)
    people_report(paths, labels, embeddings, repr(clusterer)).save(out / 'report.html')

    people = int(labels.max()) + 1
    unclustered = int((labels < 0).sum())
    print(f'{people} people in {len(paths)} crops, {unclustered} un-clustered: {out}')
    if 'pid' in metadata:
        quality = clustering_quality(labels, known_numbers(metadata['pid']))
        figures = ', '.join(f'{name} {value:.3f}' for name, value in quality.items())
        print(f'Beside the identities that are known: {figures or "none is"}')
    if not people:
        print_log(
            f'{clusterer} found nobody in {len(paths)} crops. For DBSCAN raise `eps` '
            'or lower `min_samples` and, with few crops of each person, `k1`: '
            '--cfg-options default_hooks.cluster_memory.clusterer.k1=10',
            logger='current',
            level=logging.WARNING,
        )


if __name__ == '__main__':
    main()
