"""Measure each part of training with tracks, on a linear map of embeddings.

In place of a network, a matrix is trained that maps the embeddings of a fixed network,
by the same clusterers, batches and memories. It takes seconds, and shows which links
and losses help; a network learns more, and more slowly. Identities are used for the
figures only. The galleries are those of tools/extract_features.py; that of the training
images needs the metadata pid, cam_id and track.
"""

import argparse
import logging
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.apis import Gallery
from mmreid_cc.clustering import CLUSTERERS, clustering_quality
from mmreid_cc.datasets import RandomMultipleGallerySampler
from mmreid_cc.evaluation import ranking_metrics
from mmreid_cc.models import BaseMemory
from mmreid_cc.registry import MODELS

MUTUAL = dict(type='MutualNeighbors')
MATCHING = dict(type='CameraMatching')
PROXIES = dict(type='CameraProxyMemory')
INTER = dict(type='CameraProxyMemory', inter_weight=1.0)
ROWS: list[tuple[str, dict[str, Any], dict[str, Any], int]] = [
    # name, arguments of Tracklets, memory, images of a cluster in a batch of 64
    (
        'mutual nearest, ClusterMemory',
        dict(clusterer=MUTUAL),
        dict(type='ClusterMemory'),
        8,
    ),
    ('mutual nearest, CameraProxyMemory', dict(clusterer=MUTUAL), PROXIES, 8),
    ('that and whiten', dict(clusterer=MUTUAL, whiten=True), PROXIES, 8),
    (
        'that and matching in place of mutual nearest',
        dict(clusterer=MATCHING),
        PROXIES,
        8,
    ),
    ('that and 16 × 4 in place of 8 × 8', dict(clusterer=MUTUAL), PROXIES, 4),
    ('that and inter_weight 1 in place of 0.5', dict(clusterer=MUTUAL), INTER, 8),
    ('all four', dict(clusterer=MATCHING, whiten=True), INTER, 4),
    (
        'all four, with a temperature that falls: 0.03, 0.02, 0.015 in the thirds',
        dict(clusterer=dict(MATCHING, temperature=(0.03, 0.02, 0.015)), whiten=True),
        INTER,
        4,
    ),
]
ITERATIONS, BATCH, RATE = 40, 64, 1e-3


class Images:
    """The part of a data set that a sampler needs."""

    def __init__(self, gallery: Gallery) -> None:
        self.metadata = gallery.metadata

    def __len__(self) -> int:
        return len(self.metadata['pid'])

    def column(self, key: str) -> np.ndarray:
        """Return the metadata of a name."""
        return np.asarray(self.metadata[key])


def train(
    gallery: Gallery,
    tracklets: dict[str, Any],
    memory: BaseMemory,
    k: int,
    seed: int,
    epochs: int,
) -> tuple[Tensor, np.ndarray]:
    """Train; return the matrix after all epochs, and the labels of the last one."""
    images, embeddings = Images(gallery), torch.from_numpy(gallery.embeddings).float()
    cam_ids = np.unique(images.column('cam_id'), return_inverse=True)[1]
    matrix = torch.eye(embeddings.shape[1], requires_grad=True)
    optimizer = torch.optim.Adam([matrix], lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    sampler = RandomMultipleGallerySampler(images, BATCH // k, k, ITERATIONS, seed=seed)
    for epoch in range(epochs):
        features = F.normalize(embeddings @ matrix.detach().T)
        clusterer = CLUSTERERS.build(
            dict(type='Tracklets', **at(epoch / epochs, tracklets))
        )
        labels = clusterer.fit_predict(features, cam_ids, images.column('track'))
        memory.fill(
            features,
            torch.from_numpy(labels),
            torch.from_numpy(cam_ids),
            torch.device('cpu'),
        )
        sampler.set_epoch(epoch)
        sampler.set_labels(labels)
        for batch in torch.tensor([int(i) for i in sampler]).view(ITERATIONS, BATCH):
            loss = memory(embeddings[batch] @ matrix.T, memory.slots_of(batch))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return matrix.detach(), labels


def at(progress: float, tracklets: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments at a time of training, with the temperature of its third."""
    inner = dict(tracklets['clusterer'])
    if isinstance(inner.get('temperature'), tuple):
        inner['temperature'] = inner['temperature'][int(3 * progress)]
    return {**tracklets, 'clusterer': inner}


def mean_precision(matrix: Tensor, query: Gallery, gallery: Gallery) -> float:
    """Measure the mAP across cameras, in percent."""
    sides = [
        (
            F.normalize(torch.from_numpy(side.embeddings).float() @ matrix.T).numpy(),
            side.metadata['pid'],
            side.metadata['cam_id'],
        )
        for side in (query, gallery)
    ]
    (queries, pids, cams), (others, other_pids, other_cams) = sides
    scores = ranking_metrics(queries, others, pids, other_pids, cams, other_cams)
    return 100 * scores['mAP']


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ('train', 'query', 'gallery'):
        parser.add_argument(name, help=f'.npz of the {name} images')
    parser.add_argument('--seeds', nargs='+', type=int, default=[1, 2, 3])
    parser.add_argument('--epochs', type=int, default=15)
    parser.add_argument(
        '--rows',
        nargs='+',
        type=int,
        help='rows of the table, which count from 1 (default: all)',
    )
    args = parser.parse_args()
    logging.disable(logging.INFO)
    images, query, gallery = map(Gallery.load, (args.train, args.query, args.gallery))
    rows = ROWS if args.rows is None else [ROWS[row - 1] for row in args.rows]
    print('| | mAP | of each seed | clusters | purity |\n|---|---|---|---|---|')
    start = mean_precision(torch.eye(images.embeddings.shape[1]), query, gallery)
    print(f'| before | {start:.1f} | | | |', flush=True)
    for name, tracklets, memory_cfg, k in rows:
        figures = []
        for seed in args.seeds:
            torch.manual_seed(seed)
            memory = MODELS.build(memory_cfg)
            matrix, labels = train(images, tracklets, memory, k, seed, args.epochs)
            purity = clustering_quality(labels, images.metadata['pid'])['purity']
            precision = mean_precision(matrix, query, gallery)
            figures.append((precision, labels.max() + 1, purity))
        mean, clusters, purity = np.mean(figures, axis=0)
        each = ', '.join(f'{precision:.1f}' for precision, _, _ in figures)
        print(
            f'| {name} | {mean:.1f} | {each} | {clusters:.0f} | {purity:.3f} |',
            flush=True,
        )


if __name__ == '__main__':
    main()
