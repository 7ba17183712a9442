"""k nearest neighbours by inner product, the same on every machine and thread count."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np

from .inputs import as_features, check_count
from .parallel import n_threads, row_pointers
from .similarity import pair_similarities

# (queries, count) → (similarities, indices), both (len(queries), count), best first
Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]

_ROWS_PER_BLOCK = 4096
_MARGIN = 8  # candidates beyond k, so that rounding seldom decides who is fetched
_SCAN_VALUES = 2**24  # similarities held at once while a row is scanned, 64 MB


def knn(
    features: Any, k: int, *, method: str = 'exact'
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest neighbours of every row, itself included.

    A row's list holds the row itself and its k − 1 most similar others, ordered by
    descending similarity; equal similarities are ordered by index. So of many exact
    copies of one image each lists itself and the first k − 1 others.

    faiss only proposes candidates. Their similarities are computed again in a fixed
    arithmetic, and a row in which a candidate left out might be as near as the last
    one kept is scanned as a whole. The result therefore depends neither on the number
    of threads nor on the size of blocks. No N × N matrix exists at any time.

    Args:
        features (array): (N, D) floating. With L2-normalised rows the similarity is
            the cosine.
        k (int): Number of neighbours, from 1 on; with k > N there are N.
        method (str): ``'exact'`` is the one there is. On all visible GPUs where faiss
            sees any, else on all cores.

    Returns:
        tuple[np.ndarray, np.ndarray]: Indices (N, min(k, N)) int64 and similarities
        (N, min(k, N)) float32.

    Raises:
        TypeError: If the features are not floating-point numbers.
        ValueError: If they are not 2-D and finite, or k or method is not allowed.

    Example:
        >>> indices, similarities = knn(np.eye(3, dtype=np.float32), k=2)
        >>> indices
        array([[0, 1],
               [1, 0],
               [2, 0]])
    """
    features = as_features(features)
    check_count('k', k)
    if method not in _SEARCHES:
        raise ValueError(f'method must be one of {sorted(_SEARCHES)}, got {method!r}.')
    n_rows, k = len(features), min(k, len(features))
    indices = np.empty((n_rows, k), dtype=np.int64)
    similarities = np.empty((n_rows, k), dtype=np.float32)
    tolerance = _rounding_error(features)
    with _all_cores():
        search = _SEARCHES[method](features)
        for first in range(0, n_rows, _ROWS_PER_BLOCK):
            rows = np.arange(first, min(first + _ROWS_PER_BLOCK, n_rows))
            indices[rows], similarities[rows] = _nearest(
                features, rows, k, search, tolerance[rows]
            )
    return indices, similarities


def least_similarities(features: Any) -> np.ndarray:
    """Find the smallest similarity of every row to any row.

    Args:
        features (array): (N, D) floating.

    Returns:
        np.ndarray: (N,) float32 inner products.

    Raises:
        TypeError: If the features are not floating-point numbers.
        ValueError: If they are not 2-D and finite.

    Example:
        >>> least_similarities(np.array([[1.0, 0.0], [-1.0, 0.0]]))
        array([-1., -1.], dtype=float32)
    """
    features = as_features(features)
    smallest = np.empty(len(features), dtype=np.float32)
    with _all_cores():
        search = _exact_search(features)
        for first in range(0, len(features), _ROWS_PER_BLOCK):
            block = slice(first, first + _ROWS_PER_BLOCK)
            smallest[block] = -search(-features[block], 1)[0][:, 0]
    return smallest


def _exact_search(features: np.ndarray) -> Search:
    if faiss.get_num_gpus() == 0:
        return lambda queries, count: faiss.knn(
            queries, features, count, metric=faiss.METRIC_INNER_PRODUCT
        )
    options = faiss.GpuMultipleClonerOptions()
    options.shard = True  # every GPU holds a part of the rows, not all of them
    index = faiss.index_cpu_to_all_gpus(
        faiss.IndexFlatIP(features.shape[1]), co=options
    )
    index.add(features)
    return index.search


_SEARCHES: dict[str, Callable[[np.ndarray], Search]] = {'exact': _exact_search}


@contextmanager
def _all_cores() -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(n_threads())
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _rounding_error(features: np.ndarray) -> np.ndarray:
    """Bound, row by row, the error of float32 matrix products with any other row.

    The probabilistic bound λ·√D·u·|x|·|y| of Higham and Mary (SIAM J. Sci. Comput. 41,
    2019), with u = 2⁻²⁴ and λ = 4.
    """
    norms = np.sqrt(np.einsum('nd,nd->n', features, features, dtype=np.float64))
    return 4 * np.sqrt(features.shape[1]) * 2.0**-24 * norms.max() * norms


def _nearest(
    features: np.ndarray,
    rows: np.ndarray,
    k: int,
    search: Search,
    tolerance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the neighbours of some rows."""
    queries = features[rows]
    count = min(k + _MARGIN, len(features))
    proposed, candidates = search(queries, count)
    missing = (candidates != rows[:, None]).all(axis=1)
    candidates[missing, -1] = rows[missing]
    similarities = pair_similarities(
        queries,
        features,
        row_pointers(np.full(len(rows), count)),
        candidates.ravel().astype(np.int32),
    )
    similarities = similarities.reshape(candidates.shape)
    indices, similarities, last = _select(rows, candidates, similarities, k)
    if count < len(features):
        undecided = np.flatnonzero(proposed[:, -1] + tolerance >= last)
        indices[undecided], similarities[undecided] = _scan(
            features, rows[undecided], k, last[undecided] - tolerance[undecided]
        )
    return indices, similarities


def _scan(
    features: np.ndarray, rows: np.ndarray, k: int, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the neighbours of some rows among all that may reach their threshold."""
    indices = np.empty((len(rows), k), dtype=np.int64)
    similarities = np.empty((len(rows), k), dtype=np.float32)
    step = max(1, _SCAN_VALUES // len(features))
    for first in range(0, len(rows), step):
        products = features[rows[first : first + step]] @ features.T
        for i, product in enumerate(products, start=first):
            near = product >= thresholds[i]
            near[rows[i]] = True
            candidates = np.flatnonzero(near)
            exact = pair_similarities(
                features[rows[i], None],
                features,
                row_pointers(np.array([len(candidates)])),
                candidates.astype(np.int32),
            )
            row = slice(i, i + 1)
            indices[row], similarities[row], _ = _select(
                rows[row], candidates[None], exact[None], k
            )
    return indices, similarities


def _select(
    rows: np.ndarray, candidates: np.ndarray, similarities: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keep each row itself and its k − 1 best others; the last's similarity, too."""
    keys = np.where(candidates == rows[:, None], np.inf, similarities)
    best = np.lexsort((candidates, -keys))[:, :k]
    last = np.take_along_axis(keys, best[:, -1:], axis=1)[:, 0]
    candidates = np.take_along_axis(candidates, best, axis=1)
    similarities = np.take_along_axis(similarities, best, axis=1)
    order = np.lexsort((candidates, -similarities))
    return (
        np.take_along_axis(candidates, order, axis=1),
        np.take_along_axis(similarities, order, axis=1),
        last,
    )
