"""mAP, CMC and mINP: how well a gallery is ranked for each query."""

import logging
from collections.abc import Sequence

import numpy as np
from mmengine.logging import print_log
from numpy.typing import ArrayLike, NDArray

from mmreid_cc.clustering.input_checks import check_count, to_numpy

from .protocol import JUNK_PID, distance_and_protocol
from .query_ranks import rank_queries
from .re_ranked_distance import ReRankedDistance


def ranking_metrics(
    query_features: ArrayLike | None,
    gallery_features: ArrayLike | None,
    query_pids: ArrayLike,
    gallery_pids: ArrayLike,
    query_cams: ArrayLike,
    gallery_cams: ArrayLike,
    *,
    topk: Sequence[int] = (1, 5, 10),
    distance: ArrayLike | ReRankedDistance | None = None,
    exclude_same_camera: bool = True,
) -> dict[str, float]:
    """Rank the gallery for each query and score the ranking.

    The protocol is that of Market-1501 (Zheng et al., *Scalable Person
    Re-identification: A Benchmark*, ICCV 2015): gallery images of the query's identity
    **and** camera are left out, and so is junk (pid −1, the one special value).
    Distractors, images whose identity is not queried (pid 0 in Market-1501), stay as
    wrong answers. A query without a match is left out of the means, and a log line
    counts such queries.

    - **mAP**: average precision is the mean, over the matches, of the precision at the
      match's distance; images at the same distance count together, as in
      ``sklearn.metrics.average_precision_score``.
    - **CMC@k**: share of the queries with a match among the first k images.
    - **mINP**: mean of (number of matches) / (rank of the farthest match), from Ye et
      al., *Deep Learning for Person Re-identification: A Survey and Outlook*, TPAMI
      2021, section 4.1.

    In CMC and mINP, images at the same distance are ranked by their gallery index.

    Inner products are computed on this process's GPU, if there is one; all else on all
    cores of the CPU, in chunks of queries, and takes some 150 MB above the features
    whatever the size of the data. The result does not depend on the number of threads.

    Args:
        query_features (array): (Q, D), floating, NumPy or a tensor of any device.
            L2-normalisation is inside.
        gallery_features (array): (G, D), floating.
        query_pids (array): (Q,) integers, the identities.
        gallery_pids (array): (G,) integers; −1 is junk.
        query_cams (array): (Q,) integers, the cameras.
        gallery_cams (array): (G,) integers.
        topk (Sequence[int]): The k of each ``CMC@k``, from 1. Defaults to (1, 5, 10).
        distance (array | ReRankedDistance | None): (Q, G), finite, to rank by instead
            of 2 − 2·cos; the features are not looked at then and may be None. Defaults
            to None.
        exclude_same_camera (bool): Whether to leave out gallery images of the query's
            identity and camera. False is for data without cameras. Defaults to True.

    Returns:
        dict[str, float]: ``mAP``, ``mINP`` and ``CMC@k`` for each k, in [0, 1].

    Raises:
        TypeError: If features are not floating, or identities or cameras no integers.
        ValueError: If no query has a match; if shapes do not fit; if a feature or
            distance is not finite, or a feature is zero; if a k is below 1.

    Example:
        >>> query, gallery = np.eye(2), np.array([[1, 0.1], [0.1, 1], [1, 1]])
        >>> ranking_metrics(
        ...     query, gallery, [1, 2], [1, 1, 2], [0, 0], [1, 1, 1], topk=(1, 2))
        {'mAP': 0.666..., 'mINP': 0.583..., 'CMC@1': 0.5, 'CMC@2': 1.0}
    """
    topk = checked_topk(topk)
    arranged = distance_and_protocol(
        query_features,
        gallery_features,
        query_pids,
        gallery_pids,
        query_cams,
        gallery_cams,
        distance=distance,
        exclude_same_camera=exclude_same_camera,
    )
    ranks = rank_queries(*arranged)
    queries, matched = len(ranks.matched), int(ranks.matched.sum())
    if not matched:
        raise ValueError(_without_match(to_numpy(query_pids), to_numpy(gallery_pids)))
    if matched < queries:
        where = 'another camera' if exclude_same_camera else 'any camera'
        print_log(
            f'{queries - matched} of {queries} queries have no match from {where} in '
            'the gallery and are left out of the means.',
            logger='current',
            level=logging.INFO,
        )
    return ranks.means(topk)


def checked_topk(topk: Sequence[int]) -> tuple[int, ...]:
    """Check the k of each ``CMC@k``.

    Args:
        topk (Sequence[int]): One or more integers of at least 1.

    Returns:
        tuple[int, ...]: The same.

    Raises:
        ValueError: If it is anything else.

    Example:
        >>> checked_topk([1, 5])
        (1, 5)
    """
    if not isinstance(topk, Sequence) or not topk:
        raise ValueError(f'topk must be a sequence such as (1, 5, 10), got {topk!r}.')
    for k in topk:
        check_count('topk', k)
    return tuple(topk)


def _without_match(query_pids: NDArray, gallery_pids: NDArray) -> str:
    shared = np.intersect1d(query_pids, gallery_pids[gallery_pids != JUNK_PID])
    if len(shared):
        return (
            f'No query has a match: query and gallery share {len(shared)} identities, '
            'but the same camera sees them in both, and such images are left out. If '
            'the data have no cameras, set exclude_same_camera=False.'
        )
    return (
        f'No query has a match: none of the {len(np.unique(query_pids))} identities of '
        'the queries is in the gallery. Query and gallery must show the same people, '
        'under the same pids.'
    )
