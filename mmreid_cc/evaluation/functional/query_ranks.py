"""Where each query's matches stand in the gallery, counted rather than sorted."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmreid_cc.clustering.compiled_kernels import kernel
from mmreid_cc.clustering.parallel import map_row_blocks

from .distances import ROWS_PER_BLOCK, DistanceRows
from .protocol import EvaluationProtocol, split_gallery


class QueryRanks(NamedTuple):
    """The ranking of the gallery for each query, summarised in three numbers.

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
        """Which queries have a match; (Q,) bool."""
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
    distance_rows: DistanceRows, protocol: EvaluationProtocol
) -> QueryRanks:
    """Rank the gallery for each query: what :func:`ranking_metrics` averages.

    Only the few matches of a query are sorted. The rank of a match is the number of
    gallery images that are not farther away, and plain counting is as fast as reading
    the memory.

    Args:
        distance_rows (DistanceRows): Rows from :func:`distance_and_protocol`.
        protocol (EvaluationProtocol): Protocol from the same function.

    Returns:
        QueryRanks: One entry per query, also for those without a match.

    Raises:
        ValueError: If a distance is not finite.

    Example:
        >>> data = np.eye(2), np.eye(2), [1, 2], [1, 1], [0, 0], [1, 1]
        >>> rank_queries(*distance_and_protocol(*data)).average_precision
        array([ 1., nan])
    """
    queries = distance_rows.shape[0]
    ranks = QueryRanks(
        np.full(queries, np.nan),
        np.zeros(queries, dtype=np.int64),
        np.full(queries, np.nan),
    )
    for rows, distances in distance_rows.chunks():
        map_row_blocks(
            _fill_ranks,
            len(distances),
            distances,
            tuple(protocol),
            rows.start,
            *ranks,
            rows_per_block=ROWS_PER_BLOCK,
        )
    return ranks


@kernel
def _fill_ranks(
    first: int,
    last: int,
    distances: NDArray,
    protocol: tuple,
    first_query: int,
    average_precision: NDArray[np.float64],
    first_match: NDArray[np.int64],
    inverse_penalty: NDArray[np.float64],
) -> None:
    """Fill the last three arrays for those queries that have a match."""
    for i in range(first, last):
        query = first_query + i
        row = distances[i]
        matches, left_out = split_gallery(protocol, query)
        if len(matches) == 0:
            continue
        # Stable, and the images ascend: at one distance, by gallery index.
        matches = matches[np.argsort(row[matches], kind='mergesort')]
        thresholds, left_out_distances = row[matches], row[left_out]
        images = _counts(row, thresholds) - _counts(left_out_distances, thresholds)
        total = 0.0
        hits = len(matches)
        for m in range(len(matches) - 1, -1, -1):
            if thresholds[m] < thresholds[hits - 1]:
                hits = m + 1
            total += hits / images[m]
        average_precision[query] = total / len(matches)
        first_match[query] = images[0] - _later_ties(row, matches[0], left_out)
        last_rank = images[-1] - _later_ties(row, matches[-1], left_out)
        inverse_penalty[query] = len(matches) / last_rank


@kernel
def _counts(distances: NDArray, thresholds: NDArray) -> NDArray[np.int64]:
    """Count the distances up to each threshold.

    LLVM makes vector instructions of the inner loop, as it does not of ``for distance
    in distances`` (9 times as slow), nor with a branch; four thresholds a pass and
    counters as wide as the distances save another third (measured).
    """
    counts = np.empty(len(thresholds), dtype=np.int64)
    last = len(thresholds) - 1
    for m in range(0, len(thresholds), 4):
        m1, m2, m3 = min(m + 1, last), min(m + 2, last), min(m + 3, last)
        t0, t1, t2, t3 = thresholds[m], thresholds[m1], thresholds[m2], thresholds[m3]
        n0 = n1 = n2 = n3 = np.uint32(0)
        for j in range(len(distances)):
            distance = distances[j]
            n0 = np.uint32(n0 + np.uint32(distance <= t0))
            n1 = np.uint32(n1 + np.uint32(distance <= t1))
            n2 = np.uint32(n2 + np.uint32(distance <= t2))
            n3 = np.uint32(n3 + np.uint32(distance <= t3))
        counts[m], counts[m1], counts[m2], counts[m3] = n0, n1, n2, n3
    return counts


@kernel
def _later_ties(row: NDArray, image: int, left_out: NDArray[np.int64]) -> np.int64:
    """Count the images as far as a given one that come after it by index."""
    distance = row[image]
    ties = np.uint32(0)
    for j in range(image + 1, len(row)):
        ties = np.uint32(ties + np.uint32(row[j] == distance))
    for other in left_out:
        if other > image and row[other] == distance:
            ties -= np.uint32(1)
    return np.int64(ties)
