"""Measure each part of clustering by tracks, on embeddings with known identities.

The gallery needs the metadata pid, cam_id, track and, for the rows on time, time.
"""

import argparse
import time

import numpy as np

from mmreid_cc.apis import Gallery
from mmreid_cc.clustering import (
    CLUSTERERS,
    clustering_quality,
    normalize_cameras,
    pair_f1,
)

TRACKS = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=10, k2=3)
FEW = dict(type='DBSCAN', eps=0.45, min_samples=2, k1=6, k2=2)
ROWS = [
    ('crops, DBSCAN k1 30, k2 6, eps 0.6', dict(type='DBSCAN')),
    ('crops, DBSCAN k1 30, k2 6, eps 0.5', dict(type='DBSCAN', eps=0.5)),
    ('tracks, DBSCAN k1 10, k2 3, eps 0.6', dict(clusterer=TRACKS, same_time=None)),
    ('… separate', dict(clusterer=TRACKS)),
    ('… separate, split', dict(clusterer=TRACKS, split=True)),
    (
        '… separate_cameras, split',
        dict(clusterer=TRACKS, same_time='separate_cameras', split=True),
    ),
    ('tracks, DBSCAN k1 6, k2 2, eps 0.45', dict(clusterer=FEW)),
    ('… separate, split', dict(clusterer=FEW, split=True)),
    ('… separate, split, whiten', dict(clusterer=FEW, split=True, whiten=True)),
    ('tracks, MutualNeighbors', dict(clusterer=dict(type='MutualNeighbors'))),
    ('… whiten', dict(clusterer=dict(type='MutualNeighbors'), whiten=True)),
    ('tracks, CameraMatching', dict(clusterer=dict(type='CameraMatching'))),
    ('… whiten', dict(clusterer=dict(type='CameraMatching'), whiten=True)),
    ('tracks, AutoDBSCAN, split', dict(split=True)),
    ('… whiten', dict(split=True, whiten=True)),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('gallery', help='.npz of tools/extract_features.py')
    args = parser.parse_args()
    gallery = Gallery.load(args.gallery)
    missing = {'pid', 'cam_id', 'track'} - set(gallery.metadata)
    if missing:
        parser.error(f'{args.gallery} has no metadata {", ".join(sorted(missing))}')
    features, known = np.asarray(gallery.embeddings), gallery.metadata
    pids, tracks = known['pid'], known['track']
    cam_ids = np.unique(known['cam_id'], return_inverse=True)[1]
    normalized = normalize_cameras(features, cam_ids)
    print('| what is clustered | clusters | F1 | purity | CPU seconds |')
    print('|---|---|---|---|---|')
    for name, settings in ROWS:
        start = time.process_time()
        if 'type' in settings:
            labels = CLUSTERERS.build(settings).fit_predict(features)
        else:
            clusterer = CLUSTERERS.build(dict(type='Tracklets', **settings))
            labels = clusterer.fit_predict(
                normalized, cam_ids, tracks, known.get('time')
            )
        seconds = time.process_time() - start
        f1, purity = pair_f1(labels, pids), clustering_quality(labels, pids)
        print(
            f'| {name} | {labels.max() + 1} | {f1:.3f} | {purity.get("purity", 0):.3f} '
            f'| {seconds:.2f} |'
        )


if __name__ == '__main__':
    main()
