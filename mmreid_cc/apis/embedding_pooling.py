"""Pooling of several images of one person into one embedding."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mmreid_cc.clustering import cluster_centroids
from mmreid_cc.clustering.input_checks import as_features


def pool_embeddings(embeddings: Any, persons: ArrayLike | None = None) -> np.ndarray:
    """Average the embeddings of each person, and normalise the mean.

    Args:
        embeddings (array): (N, D) floating, rows L2-normalised.
        persons (array, optional): (N,) numbers or names that tell who each row shows.
            Defaults to None: all rows show one person.

    Returns:
        np.ndarray: (P, D) float32, L2-normalised, a row for each person in the sorted
        order of ``persons`` (that of ``numpy.unique``).

    Raises:
        TypeError: If the embeddings are not floating-point numbers.
        ValueError: If they are not 2-D and finite, or ``persons`` does not fit.

    Example:
        >>> pool_embeddings(np.eye(2, dtype=np.float32)).round(3)
        array([[0.707, 0.707]], dtype=float32)
    """
    embeddings = as_features(embeddings, 'embeddings')
    if persons is None:
        persons = np.zeros(len(embeddings), dtype=np.int64)
    persons = np.asarray(persons)
    if persons.shape != (len(embeddings),):
        raise ValueError(
            f'persons must have one entry for each of the {len(embeddings)} rows, got '
            f'shape {persons.shape}.'
        )
    return cluster_centroids(embeddings, np.unique(persons, return_inverse=True)[1])
