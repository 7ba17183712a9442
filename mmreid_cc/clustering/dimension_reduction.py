"""Projection of features on fewer dimensions, for a faster search."""

import faiss
import numpy as np

from .input_checks import float32
from .parallel import faiss_threads, n_threads

_TRAINING_ROWS = 65536
_ROWS_PER_BLOCK = 16384


def reduce_dimension(features: np.ndarray, n_components: int) -> np.ndarray:
    """Project features on the directions that preserve most of their inner products.

    It uses principal components around the origin, because subtracting the mean would
    change inner products.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        n_components (int): Dimensions that are kept, in 1…D.

    Returns:
        np.ndarray: (N, n_components) float32.

    Example:
        >>> features = np.array([[2, 0], [1, 0]], dtype=np.float32)
        >>> np.abs(reduce_dimension(features, 1))
        array([[2.],
               [1.]], dtype=float32)
    """
    n_rows, dim = features.shape
    size = min(n_rows, _TRAINING_ROWS)
    chosen = np.sort(np.random.default_rng(0).choice(n_rows, size, replace=False))
    sample = float32(features[chosen])
    pca = faiss.PCAMatrix(dim, n_components)
    reduced = np.empty((n_rows, n_components), dtype=np.float32)
    with faiss_threads(n_threads()):
        pca.train(np.concatenate([sample, -sample]))  # their mean is the origin
        for first in range(0, n_rows, _ROWS_PER_BLOCK):
            block = slice(first, first + _ROWS_PER_BLOCK)
            reduced[block] = pca.apply(float32(features[block]))
    return reduced
