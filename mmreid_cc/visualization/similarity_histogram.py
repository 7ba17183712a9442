"""Histograms of the cosines of pairs that show one person, and of pairs of two."""

import numpy as np
from matplotlib.figure import Figure

from .colors import BLUE, VERMILION
from .embedded_images import EmbeddedImages

BINS = 100
EDGES = np.linspace(-1, 1, BINS + 1)


def similarity_histogram(images: EmbeddedImages) -> Figure:
    """Draw the cosines of pairs of one person, and of pairs of two.

    Args:
        images (EmbeddedImages): Query and gallery; pairs are those that count in
            ranking.

    Returns:
        Figure: Both histograms, each in percent of its pairs, and their medians.

    Raises:
        ValueError: If there is no pair of one person, or none of two.

    Example:
        >>> save_figure(similarity_histogram(images), 'similarities.png')
    """
    same, different = similarity_counts(images)
    if not same.sum() or not different.sum():
        raise ValueError(
            f'A histogram needs pairs of one person and pairs of two; there are '
            f'{same.sum()} and {different.sum()}. Images of the same person and camera '
            'are left out: if the data have no cameras, include them (--no-cameras).'
        )
    figure = Figure(figsize=(7, 4), layout='constrained')
    ax = figure.subplots()
    shares = [100 * counts / counts.sum() for counts in (different, same)]
    styles = (('two persons', VERMILION, '--'), ('one person', BLUE, '-'))
    for counts, share, style in zip((different, same), shares, styles, strict=True):
        name, color, line = style
        middle = np.interp(counts.sum() / 2, [0, *counts.cumsum()], EDGES)
        label = f'{name}: {counts.sum():,} pairs, median {middle:.2f}'
        ax.stairs(share, EDGES, fill=True, alpha=0.25, color=color)
        ax.stairs(share, EDGES, color=color, linestyle=line, label=label)
        ax.axvline(middle, color=color, linestyle=line, linewidth=1)
    used = np.flatnonzero(same + different)
    ax.set_xlim(EDGES[used[0]] - 0.02, min(1.02, EDGES[used[-1] + 1] + 0.02))
    ax.set_ylim(top=1.25 * np.max(shares))  # room for the legend
    ax.set_title(f'{np.minimum(*shares).sum():.1f} % of the areas overlap', fontsize=11)
    ax.set_xlabel('cosine of query and gallery image')
    ax.set_ylabel(f'percent of the pairs, per {2 / BINS:g}')
    ax.grid(alpha=0.3)
    ax.legend(loc='upper left', fontsize=9, framealpha=1)
    return figure


def similarity_counts(images: EmbeddedImages) -> np.ndarray:
    """Count the cosines of pairs that count in ranking.

    Args:
        images (EmbeddedImages): Query and gallery.

    Returns:
        np.ndarray: (2, 100) int64, pairs of one person and of two in bins of 0.02 from
        −1 to 1.
    """
    counts = np.zeros((2, BINS), dtype=np.int64)
    for similarities, matches, counted in images.comparisons():
        cosines = similarities.clip(-1, 1)  # rounding goes beyond
        for row, pairs in zip(counts, (matches, ~matches), strict=True):
            row += np.histogram(cosines[counted & pairs], EDGES)[0]
    return counts
