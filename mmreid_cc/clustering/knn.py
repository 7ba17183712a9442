"""k nearest neighbours by inner product, the same on every machine and thread count."""

import logging
from typing import Any

import numpy as np
from mmengine.logging import print_log

from .device_search import own_device
from .dimension_reduction import reduce_dimension
from .exact import exact_neighbors, exact_search
from .hnsw import propose_by_graph
from .input_checks import as_features, as_large_features, check_count
from .inverted_file import propose_by_cells
from .neighbor_selection import rank_proposals
from .parallel import cores_shared_by, faiss_threads, n_threads
from .search_recall import neighbor_recall
from .search_sharing import ALONE, Share

_APPROXIMATE = {'hnsw': propose_by_graph, 'ivf': propose_by_cells}
_METHODS = ('auto', 'exact', *_APPROXIMATE)
_MOST_EXACT_ROWS = 100_000  # on two cores less than a minute at 256-d
_MARGIN = 8  # proposals beyond k
_FEWEST_PROPOSALS = 24  # shorter lists know too few neighbours of neighbours
_ROWS_PER_BLOCK = 4096


def knn(
    features: Any,
    k: int,
    *,
    method: str = 'auto',
    n_components: int | None = None,
    share: Share = ALONE,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest neighbours of every row, itself included.

    A row's list holds the row itself and its k − 1 most similar others, ordered by
    descending similarity; equal similarities are ordered by index. So of many exact
    copies of one image each lists itself and the first k − 1 others.

    The search only proposes candidates. Their similarities are computed again in a
    fixed arithmetic, so the result depends neither on the number of threads or
    processes nor on the size of blocks. No N × N matrix exists at any time, and
    features in half precision or in a memory-mapped file are not copied as a whole.

    An approximate search logs its recall, estimated as by
    :func:`mmreid_cc.clustering.neighbor_recall`.

    Args:
        features (array): (N, D) floating. With L2-normalised rows the similarity is
            the cosine.
        k (int): Number of neighbours, from 1 on; with k > N there are N.
        method (str): ``'exact'``, on this process's GPU, the one that PyTorch uses by
            default, else on all cores; ``'ivf'``, by cells of k-means, or ``'hnsw'``,
            by a graph of faiss, both on the CPU, completed by neighbours of neighbours
            and with parameters that follow from N; ``'auto'``, exact on a GPU, and on
            the CPU up to 100,000 rows, else ``'ivf'``. Defaults to ``'auto'``.
        n_components (int | None): Search with so many principal components of the
            features, in 1…D, and rank twice as many proposals by all dimensions: an
            approximate search with any method. Defaults to None, all dimensions.
        share (Share): In distributed training, the rows that this process searches and
            how the processes exchange them. Defaults to all rows.

    Returns:
        tuple[np.ndarray, np.ndarray]: Indices (N, min(k, N)) int64 and similarities
        (N, min(k, N)) float32.

    Raises:
        TypeError: If the features are not floating-point numbers.
        ValueError: If they are not 2-D and finite, or another argument is not allowed.

    Example:
        >>> indices, similarities = knn(np.eye(3, dtype=np.float32), k=2)
        >>> indices
        array([[0, 1],
               [1, 0],
               [2, 0]])
    """
    features = as_large_features(features)
    n_rows, dim = features.shape
    check_count('k', k)
    check_method(method)
    if n_components is not None:
        check_count('n_components', n_components, maximum=dim)
    if method == 'auto':
        few = n_rows <= _MOST_EXACT_ROWS
        method = 'exact' if few or own_device() is not None else 'ivf'
    with cores_shared_by(share.local_size):
        indices, similarities = _search(
            features, min(k, n_rows), method, n_components, share
        )
        approximate = method != 'exact' or n_components is not None
        if approximate and share.rank == 0:
            recall = neighbor_recall(features, similarities)
            print_log(
                f'knn: {method} search found {recall:.1%} of the {min(k, n_rows)} '
                f'nearest neighbours of {n_rows} rows (estimated on '
                f'{min(n_rows, 1000)} of them).',
                logger='current',
                level=logging.INFO,
            )
    return indices, similarities


def _search(
    features: np.ndarray, k: int, method: str, n_components: int | None, share: Share
) -> tuple[np.ndarray, np.ndarray]:
    """Search the rows of this process, and gather those of all; see :func:`knn`."""
    n_rows = len(features)
    rows = np.arange(*share.rows(n_rows))
    if method == 'exact' and n_components is None:
        found = exact_neighbors(features, rows, k, stage='neighbours')
        return share.gather(found[0]), share.gather(found[1])

    count = proposals_for(k)
    searched = features
    if n_components is not None:
        count = max(2 * k, count)
        searched = reduce_dimension(features, n_components)
    count = min(count, n_rows)
    if method == 'exact':
        proposals, _ = exact_neighbors(searched, rows, count, stage='neighbours')
    else:
        proposals = _APPROXIMATE[method](searched, count, share)
    found = rank_proposals(features, rows, proposals, k)
    return share.gather(found[0]), share.gather(found[1])


def proposals_for(k: int) -> int:
    """How many proposals are made for k neighbours.

    Args:
        k (int): From 1 on.

    Returns:
        int: More than k, 24 at least.

    Example:
        >>> proposals_for(30)
        38
    """
    return max(k + _MARGIN, _FEWEST_PROPOSALS)


def check_method(method: str) -> None:
    """Check the name of a search method.

    Args:
        method (str): As in :func:`knn`.

    Raises:
        ValueError: If there is no such method.

    Example:
        >>> check_method('exact')
    """
    if method not in _METHODS:
        raise ValueError(f'method must be one of {_METHODS}, got {method!r}.')


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
    with faiss_threads(n_threads()):
        search = exact_search(features)
        for first in range(0, len(features), _ROWS_PER_BLOCK):
            block = slice(first, first + _ROWS_PER_BLOCK)
            smallest[block] = -search(-features[block], 1)[0][:, 0]
    return smallest
