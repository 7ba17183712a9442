"""Find cells of similar rows on a sample, and sort all rows by cell."""

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
    """Read the chosen rows of a batch, (S, D) float32."""
    rows, features = read_batch(job.batches[number])
    return float32(features[np.isin(rows, job.chosen, assume_unique=True)])


def find_centroids(sample: np.ndarray, n_rows: int) -> np.ndarray:
    """Find the cells of N rows by k-means, and number them so that neighbours are near.

    Args:
        sample (np.ndarray): The rows that :func:`training_rows` chooses, (S, D)
            float32.
        n_rows (int): N, the number of all rows.

    Returns:
        np.ndarray: The centroids of ``knn(method='ivf')`` in another order, (C, D)
        float32. They are grouped into √C cells of cells, each of which follows the
        nearest one that is left.

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
    """Write the stage ``cells``: the cell of each row of a batch."""
    cells = nearest_cells(read_batch(job.batches[number])[1], job.centroids)
    write_rows(
        stage_file(job.layout.folder, 'cells', number), dict(cell=cells[:, None])
    )


def scatter_features(job: Job, number: int) -> None:
    """Write the stage ``scattered``: the features of a batch, sorted by group."""
    rows, features = read_batch(job.batches[number])
    columns = dict(row=rows, feature=features)
    scatter(job.layout, 'scattered', number, rows, columns)


def gather_features(job: Job, group: int) -> None:
    """Write the stage ``features``: the features of a group, in the order of cells."""
    rows, features = gather(
        job.layout, 'scattered', len(job.batches), group, ['row', 'feature']
    )
    order = np.argsort(job.layout.places[rows])
    features = features.reshape(len(rows), -1)[order]
    job.layout.write('features', group, dict(feature=features))
