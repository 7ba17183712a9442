"""Exact nearest neighbours of some rows, whatever rounding does."""

import faiss
import numpy as np

from .device_search import DeviceSearch, own_device
from .input_checks import float32
from .neighbor_selection import rank_candidates, scan
from .parallel import faiss_threads, n_threads
from .progress import track

_ROWS_PER_BLOCK = 4096
_ROWS_PER_CONVERSION = 65536  # of half precision at once
_MARGIN = 8  # candidates beyond k, so that rounding seldom decides who is fetched


def exact_neighbors(
    features: np.ndarray,
    rows: np.ndarray,
    k: int,
    stage: str,
    search: 'Search | None' = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the exact neighbours of some rows among all.

    Matrix products propose candidates, on this process's GPU or else on the CPU. Their
    similarities are computed again in a fixed arithmetic, on the CPU, and a row in
    which a candidate left out might be as near as the last one kept is scanned as a
    whole. No N × N matrix exists at any time.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        rows (np.ndarray): (R,) integers, whose neighbours are wanted.
        k (int): Number of neighbours, the row itself included, in 1…N.
        stage (str): Name of the progress bar.
        search (Search | None): In these features, if there is one already. Defaults to
            None.

    Returns:
        tuple[np.ndarray, np.ndarray]: Indices (R, k) int64 and similarities (R, k)
        float32, best first, ties by index.

    Example:
        >>> eye = np.eye(3, dtype=np.float32)
        >>> exact_neighbors(eye, np.array([1]), k=2, stage='neighbours')[0]
        array([[1, 0]])
    """
    indices = np.empty((len(rows), k), dtype=np.int64)
    similarities = np.empty((len(rows), k), dtype=np.float32)
    tolerance = rounding_error(features)
    firsts = range(0, len(rows), _ROWS_PER_BLOCK)
    with faiss_threads(n_threads()):
        search = search or exact_search(features)
        for first in track(firsts, stage, total=len(firsts)):
            block = slice(first, first + _ROWS_PER_BLOCK)
            indices[block], similarities[block] = _nearest(
                features, rows[block], k, search, tolerance[rows[block]]
            )
    return indices, similarities


class HostSearch:
    """Search rows for those with the largest inner products, by faiss on the CPU.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous, searched in.

    Example:
        >>> eye = np.eye(3, dtype=np.float32)
        >>> HostSearch(eye)(eye[:1], 1)[1]
        array([[0]])
    """

    def __init__(self, features: np.ndarray) -> None:
        self.features = features

    def among(self, rows: np.ndarray) -> 'HostSearch':
        """The search in some of the rows only; what is found are positions in them."""
        return HostSearch(self.features[rows])

    def __call__(
        self, queries: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the largest products, see :data:`Search`."""
        features = self.features
        needs_no_conversion = features.dtype == np.float32
        step = len(features) if needs_no_conversion else _ROWS_PER_CONVERSION
        found = []
        for first in range(0, len(features), step):
            part = float32(features[first : first + step])
            similarities, indices = faiss.knn(
                queries, part, min(count, len(part)), metric=faiss.METRIC_INNER_PRODUCT
            )
            found.append((similarities, indices + first))
        joined = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
        similarities, indices = joined
        best = np.argsort(-similarities, axis=1, kind='stable')[:, :count]
        return (
            np.take_along_axis(similarities, best, axis=1),
            np.take_along_axis(indices, best, axis=1),
        )


# Of queries (Q, D) float32 and a count: similarities and indices, both (Q, count), best
# first. `among(rows)` is the search in some rows.
Search = HostSearch | DeviceSearch


def exact_search(features: np.ndarray) -> Search:
    """Return the exact search on this process's GPU, or else on the CPU.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous, searched in.

    Returns:
        Search: Takes queries (Q, D) float32 and a count; returns similarities and
        indices, both (Q, count), best first.

    Example:
        >>> eye = np.eye(3, dtype=np.float32)
        >>> exact_search(eye)(eye[:1], 1)[1]
        array([[0]])
    """
    device = own_device()
    return HostSearch(features) if device is None else DeviceSearch(features, device)


def rounding_error(features: np.ndarray) -> np.ndarray:
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
    count = min(k + _MARGIN, len(features))
    proposed, candidates = search(float32(features[rows]), count)
    missing = (candidates != rows[:, None]).all(axis=1)
    candidates[missing, -1] = rows[missing]
    indices, similarities, last = rank_candidates(features, rows, candidates, k)
    if count < len(features):
        undecided = np.flatnonzero(proposed[:, -1] + tolerance >= last)
        indices[undecided], similarities[undecided] = scan(
            features, rows[undecided], k, last[undecided] - tolerance[undecided]
        )
    return indices, similarities
