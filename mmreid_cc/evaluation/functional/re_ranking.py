"""Re-ranking with k-reciprocal encoding: a better distance for the same features."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .re_ranked_distance import ReRankedDistance


def re_ranking(
    query_features: ArrayLike,
    gallery_features: ArrayLike,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
) -> NDArray[np.float32]:
    """Compute the re-ranked distance between query and gallery.

    It mixes two distances: λ · d / d_max + (1 − λ) · Jaccard, where d = (2 − 2·cos)²
    and d_max is the largest of the query to any image, and the Jaccard distance
    compares k-reciprocal neighbourhoods among query and gallery together. The values
    are those of the public code, without its (Q + G)² matrices: in addition to a copy
    of the features and the result, memory grows with (Q + G) · k². Where the result is
    too large, too (3.8 GB for MSMT17), rank by :class:`ReRankedDistance` instead.

    Args:
        query_features (array): (Q, D), floating, NumPy or a tensor of any device.
            L2-normalisation is inside.
        gallery_features (array): (G, D), floating.
        k1 (int): Neighbours of the reciprocal sets, the image itself not counted.
            Defaults to 20.
        k2 (int): Nearest rows averaged by query expansion, the image's own included,
            in 1…k1. Defaults to 6.
        lambda_value (float): Weight λ of the original distance, in [0, 1]. Defaults
            to 0.3.

    Returns:
        np.ndarray: (Q, G) float32 in [0, 1] up to rounding, to be handed to
        :func:`ranking_metrics` as ``distance``.

    Raises:
        TypeError: If the features are not floating-point numbers.
        ValueError: If they are not 2-D and finite, do not fit each other or hold a row
            of zeros, or a number is out of its range.

    Source: Zhong et al., Re-ranking Person Re-identification with k-reciprocal
    Encoding, CVPR 2017 (arXiv 1701.08398), equation 12.

    Example:
        >>> query, gallery = np.float32([[1, 0]]), np.float32([[0, 1], [1, 0]])
        >>> re_ranking(query, gallery, k1=1, k2=1)
        array([[1., 0.]], dtype=float32)
    """
    sparse = ReRankedDistance(query_features, gallery_features, k1, k2, lambda_value)
    distance = np.empty(sparse.shape, dtype=np.float32)
    for rows, values in sparse.chunks():
        distance[rows] = values
    return distance
