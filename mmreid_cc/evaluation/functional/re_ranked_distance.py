"""The re-ranked distance of query and gallery, kept sparse and read row by row."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmreid_cc.clustering.compiled_kernels import kernel
from mmreid_cc.clustering.input_checks import as_features, check_count
from mmreid_cc.clustering.jaccard import jaccard_rows
from mmreid_cc.clustering.knn import knn, least_similarities
from mmreid_cc.clustering.parallel import map_row_blocks
from mmreid_cc.clustering.reciprocal import (
    encode,
    expand_queries,
    half_size,
    reciprocal_sets,
)
from mmreid_cc.clustering.similarity import pair_similarities

from .distances import ROWS_PER_BLOCK, CosineDistance

_ROUNDING = 1e-12  # (2 − 2·cos)² of equal images may be so large


class ReRankedDistance:
    """The distance λ · d / d_max + (1 − λ) · Jaccard, never stored as a whole.

    What is kept is sparse: the Jaccard distances below 1. The other part is a matrix
    product and is computed with the rows when they are read. So MSMT17 (11,659 × 82,161
    images) needs no matrix of 3.8 GB. :func:`ranking_metrics` takes it as ``distance``.

    The arguments, the definition and the source are those of :func:`re_ranking`, which
    returns the same numbers as one array. The features are kept, not copied, where
    they are float32 already.

    Attributes:
        shape (tuple[int, int]): Number of queries Q and of gallery images G.

    Raises:
        TypeError: As :func:`re_ranking`.
        ValueError: As :func:`re_ranking`.

    Example:
        >>> query, gallery = np.float32([[1, 0]]), np.float32([[0, 1], [1, 0]])
        >>> distance = ReRankedDistance(query, gallery, k1=1, k2=1)
        >>> list(distance.chunks())
        [(slice(0, 1, None), array([[1., 0.]], dtype=float32))]
    """

    def __init__(
        self,
        query_features: ArrayLike,
        gallery_features: ArrayLike,
        k1: int = 20,
        k2: int = 6,
        lambda_value: float = 0.3,
    ) -> None:
        query = as_features(query_features, 'query_features')
        gallery = as_features(gallery_features, 'gallery_features')
        check_count('k1', k1)
        check_count('k2', k2, maximum=k1)
        if not 0 <= lambda_value <= 1:
            raise ValueError(f'lambda_value must lie in [0, 1], got {lambda_value!r}.')
        self._cosine = CosineDistance(query, gallery)
        self.shape = self._cosine.shape
        self._lambda = lambda_value

        features = np.concatenate([query, gallery])
        squares = np.einsum('nd,nd->n', features, features, dtype=np.float64)
        features /= np.sqrt(squares)[:, None]
        farthest = np.square(2 - 2 * least_similarities(features))
        farthest[farthest < _ROUNDING] = 1  # all images are equal: no noise magnified
        neighbors = knn(features, k1 + 1)[0].astype(np.int32)
        indptr, members = reciprocal_sets(neighbors, half_size(k1))
        similarities = pair_similarities(features, features, indptr, members)
        del features
        relative = np.square(2 - 2 * similarities)
        relative /= np.repeat(farthest, np.diff(indptr))
        encoding = encode(indptr, members, relative)
        if k2 > 1:
            encoding = expand_queries(encoding, neighbors[:, :k2])
        self._farthest = farthest[: len(query)]
        self._jaccard = jaccard_rows(encoding, np.full(len(query), len(query)))

    def chunks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield the rows; the caller may change each array.

        Yields:
            tuple[slice, np.ndarray]: The next queries and their distances (n, G).
        """
        weights = (self._lambda / self._farthest).astype(np.float32)
        for rows, distances in self._cosine.chunks():
            map_row_blocks(
                _mix,
                len(distances),
                distances,
                weights[rows],
                np.float32(1 - self._lambda),
                self._jaccard.indptr[rows.start : rows.stop + 1],
                self._jaccard.indices,
                self._jaccard.data,
                self.shape[0],
                rows_per_block=ROWS_PER_BLOCK,
            )
            yield rows, distances

    def bounds(self) -> tuple[float, float]:
        """Return (0, 1)."""
        return 0.0, 1.0


@kernel
def _mix(
    first: int,
    last: int,
    distances: NDArray[np.float32],
    weights: NDArray[np.float32],
    jaccard_weight: np.float32,
    indptr: NDArray,
    indices: NDArray[np.int32],
    jaccard: NDArray[np.float32],
    first_column: int,
) -> None:
    """Turn rows of 2 − 2·cos into rows of the re-ranked distance.

    Where ``jaccard`` holds no entry the Jaccard distance is 1.
    """
    for i in range(first, last):
        row = distances[i]
        for j in range(len(row)):
            row[j] = row[j] * row[j] * weights[i] + jaccard_weight
        for p in range(indptr[i], indptr[i + 1]):
            nearer = np.float32(1) - jaccard[p]
            row[indices[p] - first_column] -= jaccard_weight * nearer
