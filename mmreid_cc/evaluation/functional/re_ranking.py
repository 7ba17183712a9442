"""Re-ranking with k-reciprocal encoding: a better distance for the same features."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmreid_cc.clustering.inputs import as_features, check_count
from mmreid_cc.clustering.jaccard import jaccard_rows
from mmreid_cc.clustering.knn import knn, least_similarities
from mmreid_cc.clustering.reciprocal import (
    encode,
    expand_queries,
    half_size,
    reciprocal_sets,
)
from mmreid_cc.clustering.similarity import pair_similarities

from .distances import cosine_distance_chunks

_ROUNDING = 1e-12  # (2 − 2·cos)² of equal images may be so large


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
    are those of the public code, without its (Q + G)² matrices: beside a copy of the
    features and the result, memory grows with (Q + G) · k².

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
    query = as_features(query_features, 'query_features')
    gallery = as_features(gallery_features, 'gallery_features')
    check_count('k1', k1)
    check_count('k2', k2, maximum=k1)
    if not 0 <= lambda_value <= 1:
        raise ValueError(f'lambda_value must lie in [0, 1], got {lambda_value!r}.')

    distance = np.empty((len(query), len(gallery)), dtype=np.float32)
    for chunk, values in cosine_distance_chunks(query, gallery):
        distance[chunk] = values
    features = np.concatenate([query, gallery])
    squares = np.einsum('nd,nd->n', features, features, dtype=np.float64)
    features /= np.sqrt(squares)[:, None]
    farthest = np.square(2 - 2 * least_similarities(features))
    farthest[farthest < _ROUNDING] = 1  # all images are equal: not to magnify noise

    neighbors = knn(features, k1 + 1)[0].astype(np.int32)
    indptr, members = reciprocal_sets(neighbors, half_size(k1))
    similarities = pair_similarities(features, features, indptr, members)
    relative = np.square(2 - 2 * similarities)
    relative /= np.repeat(farthest, np.diff(indptr))
    encoding = encode(indptr, members, relative)
    if k2 > 1:
        encoding = expand_queries(encoding, neighbors[:, :k2])
    jaccard = jaccard_rows(encoding, np.full(len(query), len(query)))

    np.square(distance, out=distance)
    distance *= (lambda_value / farthest[: len(query)])[:, None]
    distance += 1 - lambda_value
    rows = np.repeat(np.arange(len(query)), np.diff(jaccard.indptr))
    distance[rows, jaccard.indices - len(query)] -= (1 - lambda_value) * (
        1 - jaccard.data
    )
    return distance
