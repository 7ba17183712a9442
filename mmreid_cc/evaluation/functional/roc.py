"""The ROC of all pairs of query and gallery, counted rather than sorted."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmreid_cc.clustering.compiled_kernels import kernel
from mmreid_cc.clustering.parallel import map_row_blocks, n_threads

from .protocol import distance_and_protocol, split_gallery
from .re_ranked_distance import ReRankedDistance

BINS = 2**16


class RocCurve(NamedTuple):
    """How many pairs count as the same person up to each distance.

    Attributes:
        fpr (np.ndarray): (T,) float64, ascending from 0 to 1: the share of the pairs of
            different identities up to the threshold.
        tpr (np.ndarray): (T,) float64, ascending from 0 to 1: the share of the pairs of
            one identity up to the threshold.
        thresholds (np.ndarray): (T,) float64, ascending distances; the first is −∞,
            where nothing is accepted.
    """

    fpr: NDArray[np.float64]
    tpr: NDArray[np.float64]
    thresholds: NDArray[np.float64]

    def tpr_at(self, fpr: float) -> float:
        """Return the largest TPR among the thresholds whose FPR is not above a value.

        Args:
            fpr (float): In [0, 1].

        Returns:
            float: In [0, 1]; not interpolated, so it is reached.

        Example:
            >>> ramp = np.array([0, 0.5, 1])
            >>> RocCurve(ramp, ramp, ramp).tpr_at(0.7)
            0.5
        """
        return float(self.tpr[np.searchsorted(self.fpr, fpr, 'right') - 1])


def roc_curve(
    query_features: ArrayLike | None,
    gallery_features: ArrayLike | None,
    query_pids: ArrayLike,
    gallery_pids: ArrayLike,
    query_cams: ArrayLike,
    gallery_cams: ArrayLike,
    *,
    distance: ArrayLike | ReRankedDistance | None = None,
    exclude_same_camera: bool = True,
) -> RocCurve:
    """Compute the ROC of telling pairs of one identity from pairs of two.

    A pair is a query with a gallery image, of all that the protocol of
    :func:`ranking_metrics` leaves in: neither junk nor the query's identity **and**
    camera. Queries without a match take part in pairs of different identities.

    Distances are counted in 65,536 bins of equal width between the bounds of the
    distance: 2⁻¹⁴ for 2 − 2·cos, 2⁻¹⁶ for :class:`ReRankedDistance`, and a 65,536th
    of the range of a given matrix. At the thresholds, the upper ends of the bins, FPR
    and TPR are exact; what lies between two of them is not told apart. Nothing is
    sorted or kept per pair: memory is that of :func:`ranking_metrics` and of some
    counters for each thread.

    The arguments are those of :func:`ranking_metrics`.

    Returns:
        RocCurve: At −∞ and at the thresholds that some pair's bin ends at.

    Raises:
        TypeError: As :func:`ranking_metrics`.
        ValueError: As :func:`ranking_metrics`; if there is no pair of one identity, or
            none of two.

    Source: Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27
    (2006), algorithm 1; the values are those of ``sklearn.metrics.roc_curve``.

    Example:
        >>> query, gallery = np.eye(2), np.array([[1, 0], [0.6, 0.8], [0, 1]])
        >>> curve = roc_curve(query, gallery, [1, 2], [1, 1, 2], [0, 0], [1, 1, 1])
        >>> curve.tpr_at(0.0), curve.tpr_at(0.4)
        (0.666..., 1.0)
    """
    rows, protocol = distance_and_protocol(
        query_features,
        gallery_features,
        query_pids,
        gallery_pids,
        query_cams,
        gallery_cams,
        distance=distance,
        exclude_same_camera=exclude_same_camera,
    )
    low, high = rows.bounds()
    width = (high - low) / BINS
    counts = np.zeros((2, BINS + 1), dtype=np.int64)
    for queries, distances in rows.chunks():
        blocks = map_row_blocks(
            _histograms,
            len(distances),
            distances,
            tuple(protocol),
            queries.start,
            low,
            1 / width if width else 0.0,
            # Each block has counters of its own.
            rows_per_block=-(-len(distances) // n_threads()),
        )
        counts += sum(blocks)
    different, same = counts.cumsum(axis=1)
    if not same[-1] or not different[-1]:
        raise ValueError(
            'An ROC curve needs pairs of one identity and pairs of two; there are '
            f'{same[-1]} and {different[-1]}. Images of the same identity and camera '
            'are left out: if the data have no cameras, set exclude_same_camera=False.'
        )
    used = np.flatnonzero(counts.any(axis=0))
    return RocCurve(
        np.concatenate([[0.0], different[used] / different[-1]]),
        np.concatenate([[0.0], same[used] / same[-1]]),
        np.concatenate([[-np.inf], low + width * used]),
    )


@kernel
def _histograms(
    first: int,
    last: int,
    distances: NDArray,
    protocol: tuple,
    first_query: int,
    low: float,
    bins_per_unit: float,
) -> NDArray[np.int64]:
    """Count pairs of different identities (row 0) and of the same one (row 1)."""
    counts = np.zeros((2, BINS + 1), dtype=np.int64)
    different = counts[0]
    for i in range(first, last):
        row = distances[i]
        for j in range(len(row)):
            different[_bin(row[j], low, bins_per_unit)] += 1
        matches, left_out = split_gallery(protocol, first_query + i)
        for image in left_out:
            different[_bin(row[image], low, bins_per_unit)] -= 1
        for image in matches:
            number = _bin(row[image], low, bins_per_unit)
            different[number] -= 1
            counts[1, number] += 1
    return counts


@kernel
def _bin(distance: float, low: float, bins_per_unit: float) -> np.int64:
    """Return the bin whose upper end is the next threshold, in 0…BINS."""
    number = np.ceil((distance - low) * bins_per_unit)
    return np.int64(min(max(number, 0.0), np.float64(BINS)))
