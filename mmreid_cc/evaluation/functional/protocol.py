"""Which gallery images count for a query, and which of them are matches."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmreid_cc.clustering.compiled_kernels import kernel
from mmreid_cc.clustering.input_checks import as_integers

from .distances import CosineDistance, DistanceRows, GivenDistance
from .re_ranked_distance import ReRankedDistance

JUNK_PID = -1


class EvaluationProtocol(NamedTuple):
    """The images of each identity in the gallery, and those that do not count.

    Attributes:
        by_pid (np.ndarray): Gallery indices without junk, grouped by identity and
            ascending in each group, int64.
        starts (np.ndarray): (Q,) int64, where the group of the query's identity begins
            in ``by_pid``.
        ends (np.ndarray): (Q,) int64, where it ends.
        query_cams (np.ndarray): (Q,) int64.
        gallery_cams (np.ndarray): (G,) int64.
        junk (np.ndarray): Gallery indices of junk, int64.
        exclude_same_camera (bool): Whether images of the query's identity and camera
            are left out.
    """

    by_pid: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    query_cams: NDArray[np.int64]
    gallery_cams: NDArray[np.int64]
    junk: NDArray[np.int64]
    exclude_same_camera: bool


def distance_and_protocol(
    query_features: ArrayLike | None,
    gallery_features: ArrayLike | None,
    query_pids: ArrayLike,
    gallery_pids: ArrayLike,
    query_cams: ArrayLike,
    gallery_cams: ArrayLike,
    *,
    distance: ArrayLike | ReRankedDistance | None = None,
    exclude_same_camera: bool = True,
) -> tuple[DistanceRows, EvaluationProtocol]:
    """Check and convert the arguments of :func:`ranking_metrics`.

    Returns:
        tuple[DistanceRows, EvaluationProtocol]: The distance to rank by, not computed
        yet, and who is a match of whom.

    Raises:
        TypeError: As :func:`ranking_metrics`.
        ValueError: As :func:`ranking_metrics`, except that matches may be missing.

    Example:
        >>> distance, protocol = distance_and_protocol(
        ...     np.eye(2), np.eye(2), [1, 2], [1, 1], [0, 0], [1, 1])
        >>> distance.shape, protocol.ends - protocol.starts
        ((2, 2), array([2, 0]))
    """
    rows: DistanceRows
    if distance is None:
        rows = CosineDistance(query_features, gallery_features)
    elif isinstance(distance, ReRankedDistance):
        rows = distance
    else:
        rows = GivenDistance(distance)
    queries, images = rows.shape
    query_pids = _labels(query_pids, 'query_pids', queries)
    gallery_pids = _labels(gallery_pids, 'gallery_pids', images)
    is_junk = gallery_pids == JUNK_PID
    by_pid = np.argsort(gallery_pids, kind='stable')
    by_pid = by_pid[~is_junk[by_pid]]
    return rows, EvaluationProtocol(
        by_pid,
        np.searchsorted(gallery_pids[by_pid], query_pids, 'left'),
        np.searchsorted(gallery_pids[by_pid], query_pids, 'right'),
        _labels(query_cams, 'query_cams', queries),
        _labels(gallery_cams, 'gallery_cams', images),
        np.flatnonzero(is_junk),
        bool(exclude_same_camera),
    )


# The machine code that numba keeps of kernels elsewhere holds a copy of this one and is
# renewed when their own file changes: after a change here touch query_ranks.py, roc.py.
@kernel
def split_gallery(
    protocol: tuple, query: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the matches of a query and the images that do not count, in compiled code.

    Args:
        protocol (tuple): ``tuple(EvaluationProtocol(...))``: plain, for the index of
            numba's cache holds the classes of arguments, and an index with a class that
            was renamed since cannot be read.
        query (int): Index of the query.

    Returns:
        tuple[np.ndarray, np.ndarray]: Gallery indices of the matches, ascending, and of
        the images that are left out.

    Example:
        ``matches, left_out = split_gallery(protocol, query)``
    """
    by_pid, starts, ends, query_cams, gallery_cams, junk, exclude_same_camera = protocol
    own = by_pid[starts[query] : ends[query]]
    if not exclude_same_camera:
        return own, junk
    same_camera = gallery_cams[own] == query_cams[query]
    return own[~same_camera], np.concatenate((own[same_camera], junk))


def _labels(values: ArrayLike, name: str, length: int) -> NDArray[np.int64]:
    labels = as_integers(values, name)
    if len(labels) != length:
        raise ValueError(
            f'{name} must hold one integer for each of the {length} images, got '
            f'{len(labels)}.'
        )
    return labels
