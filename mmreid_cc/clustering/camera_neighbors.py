"""Exact nearest neighbours within an image's camera, and in all other cameras."""

import numpy as np

from .exact import Search, exact_neighbors, exact_search, rounding_error
from .input_checks import float32
from .neighbor_selection import rank_candidates
from .parallel import faiss_threads, n_threads

_ROWS_PER_BLOCK = 4096
_MARGIN = 8  # candidates beyond k, so that rounding seldom decides who is fetched


def camera_neighbors(
    features: np.ndarray, cam_ids: np.ndarray, k_intra: int, k_inter: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the neighbours of every image in its own camera, and in the others.

    Lists are exact and ordered as those of :func:`mmreid_cc.clustering.knn`; no N × N
    matrix exists at any time.

    Args:
        features (np.ndarray): (N, D) float16 or float32, C-contiguous.
        cam_ids (np.ndarray): (N,) int64.
        k_intra (int): Neighbours in the own camera, the image itself included.
        k_inter (int): Neighbours in the other cameras together.

    Returns:
        tuple[np.ndarray, np.ndarray]: Indices (N, k_intra) and (N, k_inter) int32, best
        first; −1 fills the end where there are fewer.

    Example:
        >>> features = np.float32([[1, 0], [0.6, 0.8], [0.8, 0.6]])
        >>> camera_neighbors(features, np.array([1, 1, 2]), k_intra=2, k_inter=1)
        (array([[ 0,  1],
               [ 1,  0],
               [ 2, -1]], dtype=int32), array([[2],
               [2],
               [1]], dtype=int32))
    """
    intra = np.full((len(features), k_intra), -1, dtype=np.int32)
    inter = np.full((len(features), k_inter), -1, dtype=np.int32)
    search = exact_search(features)  # one for all cameras: a GPU gets them once
    for camera in np.unique(cam_ids):
        own = np.flatnonzero(cam_ids == camera)
        others = np.flatnonzero(cam_ids != camera)
        count = min(k_intra, len(own))
        every = np.arange(len(own))
        nearest, _ = exact_neighbors(
            features[own], every, count, 'neighbours', search.among(own)
        )
        intra[own, :count] = own[nearest]
        count = min(k_inter, len(others))
        if count:
            inter[own, :count] = _nearest_among(
                features, own, others, count, search.among(others)
            )
    return intra, inter


def _nearest_among(
    features: np.ndarray, rows: np.ndarray, others: np.ndarray, k: int, search: Search
) -> np.ndarray:
    """Find the k most similar of other rows, for each of some rows; (R, k) indices."""
    found = np.empty((len(rows), k), dtype=np.int64)
    tolerance = rounding_error(features)[rows]
    proposed_count = min(k + _MARGIN, len(others))
    with faiss_threads(n_threads()):
        for first in range(0, len(rows), _ROWS_PER_BLOCK):
            block = slice(first, first + _ROWS_PER_BLOCK)
            queries = float32(features[rows[block]])
            proposed, columns = search(queries, proposed_count)
            found[block], last = _rank(features, rows[block], others[columns], k)
            if proposed_count == len(others):
                continue
            limits = last - tolerance[block]
            undecided = np.flatnonzero(proposed[:, -1] >= limits)
            searched = float32(features[others]) if len(undecided) else queries
            for i in undecided:
                products = searched @ queries[i]
                near = others[products >= limits[i]][None]
                row = slice(first + i, first + i + 1)
                found[row], _ = _rank(features, rows[row], near, k)
    return found


def _rank(
    features: np.ndarray, rows: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the k best candidates of each row, and the similarity of the last one."""
    with_row = np.concatenate([rows[:, None], candidates], axis=1)
    indices, _, last = rank_candidates(features, rows, with_row, k + 1)
    others = indices[indices != rows[:, None]]
    return others.reshape(len(rows), k), last
