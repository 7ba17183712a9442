"""Where each query's matches stand in the gallery, counted rather than sorted."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from mmreid_cc.clustering.inputs import as_features, as_integers, to_numpy

from .distances import cosine_distance_chunks, given_distance_chunks

JUNK_PID = -1


class QueryRanks(NamedTuple):
    """The ranking of the gallery for each query, summed up in three numbers.

    Attributes:
        average_precision (np.ndarray): (Q,) float64 in [0, 1]; NaN for a query without
            a match.
        first_match (np.ndarray): (Q,) int64, the rank of the nearest match, from 1;
            0 for a query without one.
        inverse_penalty (np.ndarray): (Q,) float64 in [0, 1], the number of matches
            divided by the rank of the farthest; NaN for a query without a match.
    """

    average_precision: NDArray[np.float64]
    first_match: NDArray[np.int64]
    inverse_penalty: NDArray[np.float64]

    @property
    def matched(self) -> NDArray[np.bool_]:
        """(Q,) bool: which queries have a match."""
        return self.first_match > 0

    def means(self, topk: Sequence[int]) -> dict[str, float]:
        """Average over the queries that have a match; there must be one.

        Args:
            topk (Sequence[int]): The k of each ``CMC@k``.

        Returns:
            dict[str, float]: ``mAP``, ``mINP`` and each ``CMC@k``, fractions in [0, 1].

        Example:
            >>> QueryRanks(np.array([0.5]), np.array([2]), np.array([0.4])).means([1])
            {'mAP': 0.5, 'mINP': 0.4, 'CMC@1': 0.0}
        """
        matched = self.matched
        first_match = self.first_match[matched]
        return {
            'mAP': float(self.average_precision[matched].mean()),
            'mINP': float(self.inverse_penalty[matched].mean()),
            **{f'CMC@{k}': float((first_match <= k).mean()) for k in topk},
        }


def rank_queries(
    query_features: ArrayLike | None,
    gallery_features: ArrayLike | None,
    query_pids: ArrayLike,
    gallery_pids: ArrayLike,
    query_cams: ArrayLike,
    gallery_cams: ArrayLike,
    *,
    distance: ArrayLike | None = None,
    exclude_same_camera: bool = True,
) -> QueryRanks:
    """Rank the gallery for each query: what :func:`ranking_metrics` averages.

    Only the few matches of a query are sorted. The rank of a match is the number of
    gallery images not farther than it, and plain counts run at the speed of memory.

    The arguments are those of :func:`ranking_metrics`.

    Returns:
        QueryRanks: One entry per query, also for those without a match.

    Raises:
        ValueError: As :func:`ranking_metrics`, except that matches may be missing.

    Example:
        >>> ranks = rank_queries(np.eye(2), np.eye(2), [1, 2], [1, 1], [0, 0], [1, 1])
        >>> ranks.average_precision
        array([ 1., nan])
    """
    chunks: Iterator[tuple[slice, NDArray]]
    if distance is None:
        queries = as_features(query_features, 'query_features')
        gallery = as_features(gallery_features, 'gallery_features')
        size = len(queries), len(gallery)
        chunks = cosine_distance_chunks(queries, gallery)
    else:
        given = to_numpy(distance)
        if given.ndim != 2 or 0 in given.shape:
            raise ValueError(
                'distance must be a 2-D array (Q, G) with at least one query and one '
                f'gallery image, got shape {given.shape}.'
            )
        size = given.shape
        chunks = given_distance_chunks(given)
    query_pids = _labels(query_pids, 'query_pids', size[0])
    query_cams = _labels(query_cams, 'query_cams', size[0])
    gallery_pids = _labels(gallery_pids, 'gallery_pids', size[1])
    gallery_cams = _labels(gallery_cams, 'gallery_cams', size[1])

    # The gallery's indices grouped by identity, and where each query's group lies.
    junk = gallery_pids == JUNK_PID
    by_pid = np.argsort(gallery_pids, kind='stable')
    by_pid = by_pid[~junk[by_pid]]
    starts = np.searchsorted(gallery_pids[by_pid], query_pids, 'left')
    ends = np.searchsorted(gallery_pids[by_pid], query_pids, 'right')

    ranks = QueryRanks(
        np.full(size[0], np.nan), np.zeros(size[0], np.int64), np.full(size[0], np.nan)
    )
    for rows, distances in chunks:
        query, image = _pairs(by_pid, starts[rows], ends[rows])
        # What is left out is farther than any match.
        distances[:, junk] = np.inf
        if exclude_same_camera:
            same = query_cams[rows][query] == gallery_cams[image]
            distances[query[same], image[same]] = np.inf
            query, image = query[~same], image[~same]
        # Stable, and the images of a query ascend: at one distance, by gallery index.
        order = np.lexsort((distances[query, image], query))
        _fill_ranks(
            distances,
            image[order],
            np.searchsorted(query, np.arange(len(distances) + 1)),
            ranks.average_precision[rows],
            ranks.first_match[rows],
            ranks.inverse_penalty[rows],
        )
    return ranks


def _labels(values: ArrayLike, name: str, length: int) -> NDArray[np.int64]:
    labels = as_integers(values, name)
    if len(labels) != length:
        raise ValueError(
            f'{name} must hold one integer for each of the {length} images, got '
            f'{len(labels)}.'
        )
    return labels


def _pairs(
    by_pid: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair each query with the images in its slice of ``by_pid``, queries ascending."""
    counts = ends - starts
    query = np.repeat(np.arange(len(counts)), counts)
    first_pair = np.cumsum(counts) - counts
    return query, by_pid[np.arange(len(query)) + (starts - first_pair)[query]]


@njit
def _fill_ranks(
    distances: NDArray,
    matches: NDArray[np.int64],
    offsets: NDArray[np.int64],
    average_precision: NDArray[np.float64],
    first_match: NDArray[np.int64],
    inverse_penalty: NDArray[np.float64],
) -> None:
    """Fill the last three arrays for the queries that have a match.

    Those of query i are ``matches[offsets[i] : offsets[i + 1]]``, gallery indices in
    the order of their ranks.
    """
    for query in range(len(distances)):
        row = distances[query]
        own = matches[offsets[query] : offsets[query + 1]]
        if len(own) > 0:
            average_precision[query] = _average_precision(row, own)
            first_match[query] = _rank(row, own[0])
            inverse_penalty[query] = len(own) / _rank(row, own[-1])


# The loops over a row count by index: LLVM makes vector instructions of those, and does
# not of ``for distance in row`` (measured: 9 times as slow).


@njit
def _average_precision(row: NDArray, matches: NDArray[np.int64]) -> float:
    """Average the precision at the distance of each match."""
    total = 0.0
    hits = len(matches)
    for i in range(len(matches) - 1, -1, -1):
        farthest = row[matches[i]]
        if farthest < row[matches[hits - 1]]:
            hits = i + 1
        images = 0
        for j in range(len(row)):
            images += row[j] <= farthest
        total += hits / images
    return total / len(matches)


@njit
def _rank(row: NDArray, image: int) -> int:
    """Return the rank of a gallery image, from 1; at one distance, by index."""
    distance = row[image]
    rank = 1
    for j in range(len(row)):
        rank += row[j] < distance
    for j in range(image):
        rank += row[j] == distance
    return rank
