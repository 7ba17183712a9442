"""Sort a folder of unlabelled crops into a folder for each person."""

import logging
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log

from mmreid_cc.apis.command_line import (
    add_crops,
    config_of,
    crops_of,
    inference_parser,
    inferencer_of,
)
from mmreid_cc.apis.gallery_clustering import GalleryClusterer
from mmreid_cc.apis.metadata_numbers import camera_numbers, known_numbers
from mmreid_cc.apis.person_folders import new_folder, people_report, write_people
from mmreid_cc.clustering import AutoDBSCAN, ByCamera, Tracklets, clustering_quality
from mmreid_cc.datasets.label_files import write_labels

# The time of average linkage grows with the square of the crops of a camera.
_MOST_OF_A_CAMERA = 10_000


def find_settings(cfg: Config, metadata: dict[str, Any]) -> None:
    """Let a config find the settings of its clustering from the crops."""
    clusterer: dict[str, Any] = dict(type='AutoDBSCAN')
    cam_ids = camera_numbers(metadata['cam_id']) if 'cam_id' in metadata else None
    sizes = [] if cam_ids is None else np.bincount(cam_ids)
    if 'track' in metadata:
        clusterer = dict(type='Tracklets', clusterer=clusterer)
    elif len(sizes) > 1 and max(sizes) <= _MOST_OF_A_CAMERA:
        clusterer = dict(type='ByCamera')
    elif len(sizes) > 1:
        clusterer = dict(type='ByCamera', clusterer=clusterer)
    hook = dict(type='ClusterMemoryHook', clusterer=clusterer)
    cfg.default_hooks = dict(cfg.get('default_hooks') or {}, cluster_memory=hook)


def main() -> None:
    parser = inference_parser(__doc__)
    add_crops(parser)
    parser.add_argument(
        '--out', required=True, help='new folder for a folder for each person'
    )
    parser.add_argument(
        '--copy', action='store_true', help='copy the files instead of linking to them'
    )
    parser.add_argument(
        '--clusterer',
        choices=['auto', 'config'],
        default='auto',
        help='settings found from the crops, in each camera by itself if all cameras '
        'are known; or what the config trains with',
    )
    args = parser.parse_args()

    cfg = config_of(args)
    folder, paths, metadata = crops_of(args, parser)
    if args.clusterer != 'config':
        find_settings(cfg, metadata)
    known = (metadata.get(name) for name in ('cam_id', 'track', 'time'))
    clusterer = GalleryClusterer(cfg, *known)
    inner = clusterer.clusterer
    inner = inner.clusterer if isinstance(inner, Tracklets) else inner
    out = new_folder(args.out, folder, paths)
    embeddings = inferencer_of(args, cfg)(paths)
    labels = clusterer.fit_predict(embeddings)
    write_people(out, folder, paths, labels, args.copy)
    write_labels(out / 'labels.csv', paths, labels)
    chooser = inner if isinstance(inner, (AutoDBSCAN, ByCamera)) else None
    how = repr(chooser or clusterer)
    people_report(paths, labels, embeddings, how).save(out / 'report.html')

    people = int(labels.max()) + 1
    unclustered = int((labels < 0).sum())
    if chooser is not None:
        print(chooser.explanation())
    print(f'{people} people in {len(paths)} crops, {unclustered} un-clustered: {out}')
    if 'pid' in metadata:
        quality = clustering_quality(labels, known_numbers(metadata['pid']))
        figures = ', '.join(f'{name} {value:.3f}' for name, value in quality.items())
        print(f'Compared with the known identities: {figures or "none is known"}')
    if people:
        print(
            f'Look at {out / "report.html"}: at the largest clusters, which may hold '
            'several people, and at the most similar pairs, which may be one.'
        )
    elif args.clusterer == 'config':
        print_log(
            f'{clusterer} found nobody in {len(paths)} crops. Leave out `--clusterer '
            'config`: settings are then found from the crops.',
            logger='current',
            level=logging.WARNING,
        )


if __name__ == '__main__':
    main()
