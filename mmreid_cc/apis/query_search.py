"""The search of queries in a gallery: arrays in, rows and scores out."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from mmreid_cc.clustering.exact import HostSearch, exact_search
from mmreid_cc.clustering.input_checks import as_features, check_count, check_normalized
from mmreid_cc.clustering.parallel import faiss_threads, n_threads
from mmreid_cc.clustering.similarity import pair_similarities
from mmreid_cc.evaluation import re_ranking

# Candidates of a query. On 298 queries and 1,148 images of CUHK03, with OSNet x0.25 of
# MSMT17: mAP 55.3 % without, 58.2 % with 100, 59.2 % with 200, 59.4 % with all.
RE_RANKED = 200
_MARGIN = 8  # candidates beyond k, so that rounding seldom decides who is kept
_QUERIES_PER_BLOCK = 4096
# Fewer are searched for where the gallery is, in memory: taking it to a GPU at 7 GB/s
# costs as much as the products with some 140 queries at 500 GFLOP/s on the CPU.
_QUERIES_FOR_A_GPU = 128


def checked_queries(embeddings: Any, topk: int, dim: int) -> np.ndarray:
    """Check that a gallery can be searched for some queries.

    Args:
        embeddings (array): (Q, D) floating, rows L2-normalised.
        topk (int): Length of the lists.
        dim (int): D of the gallery.

    Returns:
        np.ndarray: (Q, D) float32.

    Raises:
        TypeError: If they are not floating-point numbers.
        ValueError: If they are not 2-D, finite and normalised, do not have D columns,
            or ``topk`` is not positive.

    Example:
        >>> checked_queries(np.eye(2), topk=5, dim=2).dtype
        dtype('float32')
    """
    queries = as_features(embeddings, 'query_embeddings')
    check_normalized(queries)
    check_count('topk', topk)
    if queries.shape[1] != dim:
        raise ValueError(
            f'query_embeddings have {queries.shape[1]} columns, the gallery {dim}; '
            'both must come from one network.'
        )
    return queries


def nearest_images(
    queries: np.ndarray, gallery: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k most similar rows of a gallery for each query, exactly.

    Matrix products propose some more rows, whose similarities are computed again in a
    fixed arithmetic. The result therefore depends neither on the number of threads nor
    on which queries are searched together. From 128 queries on, this process's GPU is
    used, if there is one; for fewer queries, copying the gallery would take longer than
    the search.

    Args:
        queries (np.ndarray): (Q, D) float32, C-contiguous.
        gallery (np.ndarray): (N, D) float32, C-contiguous, in memory or memory-mapped.
        k (int): In 1…N.

    Returns:
        tuple[np.ndarray, np.ndarray]: Rows (Q, k) int64 and inner products (Q, k)
        float32, best first, ties by row.

    Example:
        >>> eye = np.eye(3, dtype=np.float32)
        >>> nearest_images(eye[:1], eye, k=2)[0]
        array([[0, 1]])
    """
    count = min(k + _MARGIN, len(gallery))
    rows = np.empty((len(queries), k), dtype=np.int64)
    similarities = np.empty((len(queries), k), dtype=np.float32)
    with faiss_threads(n_threads()):
        few = len(queries) < _QUERIES_FOR_A_GPU
        search = HostSearch(gallery) if few else exact_search(gallery)
        for first in range(0, len(queries), _QUERIES_PER_BLOCK):
            block = slice(first, first + _QUERIES_PER_BLOCK)
            found = search(queries[block], count)[1].astype(np.int32)
            found.sort(axis=1)  # the stable order below then leaves ties by row
            exact = pair_similarities(
                queries[block], gallery, _pointers(found), found.ravel()
            ).reshape(found.shape)
            best = np.argsort(-exact, axis=1, kind='stable')[:, :k]
            rows[block] = np.take_along_axis(found, best, axis=1)
            similarities[block] = np.take_along_axis(exact, best, axis=1)
    return rows, similarities


def re_ranked_images(
    queries: np.ndarray, gallery: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest rows of a gallery for each query, by the re-ranked distance.

    Each query is re-ranked alone, among its 200 most similar rows (or k, if that is
    more), by :func:`mmreid_cc.evaluation.re_ranking`. This adds some hundredths of a
    second to the search of a query, in a gallery of any size, and the result does not
    depend on the other queries. Published numbers re-rank all queries and the whole
    gallery together.

    Args:
        queries (np.ndarray): (Q, D) float32, C-contiguous, L2-normalised.
        gallery (np.ndarray): (N, D) float32, C-contiguous, in memory or memory-mapped.
        k (int): In 1…N.

    Returns:
        tuple[np.ndarray, np.ndarray]: Rows (Q, k) int64 and 1 − distance (Q, k) float32
        in [0, 1] up to rounding, best first, ties by similarity.

    Example:
        >>> eye = np.eye(3, dtype=np.float32)
        >>> re_ranked_images(eye[:1], eye, k=1)[0]
        array([[0]])
    """
    candidates, _ = nearest_images(
        queries, gallery, min(max(k, RE_RANKED), len(gallery))
    )
    return re_ranked(queries, (gallery[row] for row in candidates), candidates, k)


def re_ranked(
    queries: np.ndarray,
    embeddings: Iterable[np.ndarray],
    candidates: np.ndarray,
    k: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Order the candidates of each query by the re-ranked distance.

    Args:
        queries (np.ndarray): (Q, D) float32, L2-normalised.
        embeddings (Iterable[np.ndarray]): Q arrays (C, D) of the candidates.
        candidates (np.ndarray): (Q, C) int64 rows, by falling similarity.
        k (int): In 1…C.

    Returns:
        tuple[np.ndarray, np.ndarray]: As :func:`re_ranked_images`.

    Example:
        >>> eye = np.eye(3, dtype=np.float32)
        >>> re_ranked(eye[:1], [eye], np.array([[0, 1, 2]]), k=1)[0]
        array([[0]])
    """
    scores = np.empty(candidates.shape, dtype=np.float32)
    for query, (found, score) in enumerate(zip(embeddings, scores, strict=True)):
        score[:] = 1 - re_ranking(queries[query : query + 1], found)[0]
    best = np.argsort(-scores, axis=1, kind='stable')[:, :k]
    return (
        np.take_along_axis(candidates, best, axis=1),
        np.take_along_axis(scores, best, axis=1),
    )


def _pointers(lists: np.ndarray) -> np.ndarray:
    return np.arange(0, lists.size + 1, lists.shape[1], dtype=np.int64)
