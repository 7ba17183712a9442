"""Cells of rows that are alike: found on a sample, then all rows are sorted by them."""

import math

import numpy as np

from mmreid_cc.clustering.input_checks import float32
from mmreid_cc.clustering.inverted_file import (
    nearest_cells,
    partition,
    train_cells,
    training_rows,
)

from .feature_files import read_batch
from .job import Job
from .layout import stage_file
from .row_files import write_rows
from .shuffle import gather, scatter


def sample_batch(job: Job, number: int) -> np.ndarray:
    """The chosen rows of a batch, (S, D) float32."""
    rows, features = read_batch(job.batches[number])
    return float32(features[np.isin(rows, job.chosen, assume_unique=True)])


def find_centroids(sample: np.ndarray, n_rows: int) -> np.ndarray:
    """Find the cells of N rows by k-means, and number them so that neighbours are near.

    Args:
        sample (np.ndarray): (S, D) float32, the :func:`training_rows`.
        n_rows (int): N.

    Returns:
        np.ndarray: (C, D) float32, those of ``knn(method='ivf')`` in another order: √C
        cells of cells follow each other, each the nearest one that is left.

    Example:
        >>> find_centroids(np.eye(4, dtype=np.float32), 4).shape
        (4, 4)
    """
    rng = np.random.default_rng(0)
    training_rows(n_rows, rng)
    centroids = train_cells(sample, partition(n_rows)[0], rng)
    coarse = train_cells(centroids, math.isqrt(len(centroids)), rng)
    products = coarse @ coarse.T
    left = np.ones(len(coarse), dtype=bool)
    rank, last = np.empty(len(coarse), dtype=np.int64), 0
    for position in range(len(coarse)):
        if position:
            last = int(np.where(left, products[last], -np.inf).argmax())
        rank[last], left[last] = position, False
    return centroids[np.argsort(rank[nearest_cells(centroids, coarse)], kind='stable')]


def assign_cells(job: Job, number: int) -> None:
    """Stage ``cells``: the cell of each row of a batch."""
    cells = nearest_cells(read_batch(job.batches[number])[1], job.centroids)
    write_rows(
        stage_file(job.layout.folder, 'cells', number), dict(cell=cells[:, None])
    )


def scatter_features(job: Job, number: int) -> None:
    """Stage ``scattered``: features of a batch, on the way to their groups."""
    rows, features = read_batch(job.batches[number])
    columns = dict(row=rows, feature=features)
    scatter(job.layout, 'scattered', number, rows, columns)


def gather_features(job: Job, group: int) -> None:
    """Stage ``features``: those of a group, in the order of cells."""
    rows, features = gather(
        job.layout, 'scattered', len(job.batches), group, ['row', 'feature']
    )
    order = np.argsort(job.layout.places[rows])
    features = features.reshape(len(rows), -1)[order]
    job.layout.write('features', group, dict(feature=features))
