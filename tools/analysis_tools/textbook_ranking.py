"""Two usual ways to rank a gallery, to compare ours with.

Both take a block of distances, sort each row, and go through the sorted row. The first
is a loop in Python around scikit-learn. The second is compiled and runs on all cores,
as in the fastest public code; it sorts one 64-bit key per image, distance and index in
one, which is twice as fast as an argsort (measured: 82,161 images).
"""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

Labels = NDArray[np.int64]
Ranks = tuple[NDArray[np.float64], Labels]


def sorted_ranking(
    distances: NDArray[np.float32],
    query_pids: Labels,
    gallery_pids: Labels,
    query_cams: Labels,
    gallery_cams: Labels,
) -> Ranks:
    """Rank by NumPy's argsort and scikit-learn's average precision, row by row.

    Args:
        distances: (n, G), of n queries.
        query_pids: (n,) identities.
        gallery_pids: (G,), −1 is junk.
        query_cams: (n,) cameras.
        gallery_cams: (G,).

    Returns:
        Average precision (n,), NaN without a match, and rank of the nearest match (n,),
        0 without one.
    """
    precisions = np.full(len(distances), np.nan)
    first_match = np.zeros(len(distances), dtype=np.int64)
    for i, row in enumerate(distances):
        same = gallery_pids == query_pids[i]
        kept = ~(same & (gallery_cams == query_cams[i])) & (gallery_pids != -1)
        is_match = same[kept]
        if is_match.any():
            order = np.argsort(row[kept], kind='stable')
            first_match[i] = np.argmax(is_match[order]) + 1
            precisions[i] = average_precision_score(is_match, -row[kept])
    return precisions, first_match


@njit(parallel=True, cache=True)
def compiled_ranking(
    distances: NDArray[np.float32],
    query_pids: Labels,
    gallery_pids: Labels,
    query_cams: Labels,
    gallery_cams: Labels,
) -> Ranks:
    """Do the same in compiled code, queries in parallel.

    Arguments and results are those of :func:`sorted_ranking`.
    """
    precisions = np.full(len(distances), np.nan)
    first_match = np.zeros(len(distances), dtype=np.int64)
    for i in prange(len(distances)):
        bits = distances[i].view(np.int32)
        keys = np.empty(len(bits), dtype=np.int64)
        kept = matches = 0
        for j in range(len(bits)):
            same = gallery_pids[j] == query_pids[i]
            if gallery_pids[j] == -1 or (same and gallery_cams[j] == query_cams[i]):
                continue
            matches += same
            # The bits of positive numbers are in the order of the numbers.
            high = np.int64(bits[j])
            if high < 0:
                high = -(high & 0x7FFFFFFF)
            keys[kept] = (high << 32) + j
            kept += 1
        if matches == 0:
            continue
        keys = keys[:kept]
        keys.sort()
        hits = start = 0
        total = 0.0
        while hits < matches:  # one group of equal distances after the other
            end = start
            before = hits
            while end < kept and keys[end] >> 32 == keys[start] >> 32:
                if gallery_pids[keys[end] & 0xFFFFFFFF] == query_pids[i]:
                    if hits == 0:
                        first_match[i] = end + 1
                    hits += 1
                end += 1
            total += (hits - before) * hits / end
            start = end
        precisions[i] = total / matches
    return precisions, first_match
