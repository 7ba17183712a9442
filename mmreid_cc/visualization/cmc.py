"""Plots of the CMC, and of the precision at each recall."""

import numpy as np
from matplotlib.figure import Figure

from mmreid_cc.evaluation.functional.protocol import distance_and_protocol
from mmreid_cc.evaluation.functional.query_ranks import rank_queries

from .colors import BLUE, GREY, VERMILION
from .embedded_images import EmbeddedImages

RECALLS = np.linspace(0, 1, 101)
LAST_RANK = 50
NAMED_RANKS = (1, 5, 10)


def cmc_and_precision(images: EmbeddedImages) -> Figure:
    """Draw the CMC and the precision at each recall.

    CMC: the share of queries with a match among the first k images. Precision: the
    mean over the queries of :func:`interpolated_precision`. Queries without a match are
    left out, as in mAP.

    Args:
        images (EmbeddedImages): Query and gallery.

    Returns:
        Figure: Two panels.

    Raises:
        ValueError: If no query has a match.

    Example:
        >>> save_figure(cmc_and_precision(images), 'cmc.svg')
    """
    ranks = rank_queries(*distance_and_protocol(**images.ranking_arguments()))
    if not ranks.matched.any():
        raise ValueError('No query has a match in the gallery, so there is no CMC.')
    first = ranks.first_match[ranks.matched]
    last = int(min(LAST_RANK, len(images.gallery)))
    cmc = 100 * np.array([(first <= k).mean() for k in range(1, last + 1)])
    mean = 100 * np.nanmean(ranks.average_precision)

    figure = Figure(figsize=(9, 3.8), layout='constrained')
    left, right = figure.subplots(1, 2)
    left.plot(np.arange(1, last + 1), cmc, color=BLUE, marker='o', markersize=3)
    for k in (k for k in NAMED_RANKS if k <= last):
        left.plot(k, cmc[k - 1], 'o', color=VERMILION)
        left.annotate(
            f'rank-{k}: {cmc[k - 1]:.1f} %',
            (k, cmc[k - 1]),
            (10, -14),
            textcoords='offset points',
            fontsize=9,
        )
    left.set_title(f'CMC of {len(first)} queries')
    left.set_xlabel('rank k')
    left.set_ylabel('queries with a match up to k (percent)')
    left.set_ylim(max(0, min(50, 10 * (cmc[0] // 10) - 10)), 102)

    precision = 100 * mean_precision(images)
    right.plot(100 * RECALLS, precision, color=BLUE)
    right.axhline(mean, color=GREY, linestyle='--', label=f'mAP {mean:.1f} %')
    right.set_title('Precision and recall, mean of the queries')
    right.set_xlabel('recall (percent of the matches)')
    right.set_ylabel('precision (percent of the list)')
    right.set_ylim(0, 102)
    right.legend()
    for ax in (left, right):
        ax.grid(alpha=0.3)
    return figure


def mean_precision(images: EmbeddedImages) -> np.ndarray:
    """Average the precision at each recall over the queries with a match.

    Args:
        images (EmbeddedImages): Query and gallery.

    Returns:
        np.ndarray: (101,) in [0, 1], for recalls from 0 to 1 in steps of 0.01.
    """
    total, queries = np.zeros(len(RECALLS)), 0
    for similarities, matches, counted in images.comparisons():
        if not (matches & counted).any():
            continue
        ranked = np.sort(-similarities[counted])
        found = np.sort(-similarities[counted & matches])
        total += interpolated_precision(np.searchsorted(ranked, found, 'right'))
        queries += 1
    return total / queries


def interpolated_precision(ranks: np.ndarray) -> np.ndarray:
    """Return the best precision of a list that reaches a recall, for each recall.

    Args:
        ranks (np.ndarray): (M,) ranks of the matches of a query, from 1, ascending.

    Returns:
        np.ndarray: (101,) in [0, 1], for recalls from 0 to 1 in steps of 0.01.

    Source: Manning et al., *Introduction to Information Retrieval* (2008), section 8.4.

    Example:
        >>> interpolated_precision(np.array([1, 4]))[[0, 50, 51, 100]]
        array([1. , 1. , 0.5, 0.5])
    """
    count = len(ranks)
    precision = np.arange(1, count + 1) / ranks
    best = np.maximum.accumulate(precision[::-1])[::-1]
    # The first match that reaches the recall; rounding must not ask for one more.
    needed = np.ceil(RECALLS * count - 1e-9).astype(int)
    return best[np.maximum(needed, 1) - 1]
