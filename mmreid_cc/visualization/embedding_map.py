"""Maps of embeddings in the plane, coloured by cluster and by camera."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from .colors import CYCLE, GREY

METHODS = ('tsne', 'umap')
MARKERS = 'os^vDPX'
LEGEND = 16  # groups that are named at most
DIMENSIONS = 50  # what PCA keeps for t-SNE and UMAP: the rest is noise to them
NEIGHBORS = 30


def project(features: np.ndarray, method: str = 'tsne', seed: int = 0) -> np.ndarray:
    """Place each embedding in the plane, close to those that are similar.

    Distances between far groups and the sizes of groups mean nothing in such a map.

    Args:
        features (np.ndarray): (N, D) floating, L2-normalised; N at least 4.
        method (str): ``'tsne'`` (van der Maaten and Hinton, JMLR 2008) or ``'umap'``
            (McInnes et al., arXiv 1802.03426), which is quicker for many images.
            Defaults to ``'tsne'``.
        seed (int): The same seed gives the same map. Defaults to 0.

    Returns:
        np.ndarray: (N, 2).

    Raises:
        ValueError: If the method is another, or there are too few images.
        ImportError: If umap-learn is not installed.

    Example:
        >>> project(features, method='umap').shape
        (2000, 2)
    """
    if method not in METHODS:
        raise ValueError(f'method must be one of {METHODS}, not {method!r}.')
    if len(features) < 4:
        raise ValueError(f'A map needs at least 4 images, got {len(features)}.')
    dimensions = min(DIMENSIONS, *features.shape)
    reduced = PCA(dimensions, random_state=seed).fit_transform(features)
    neighbors = min(NEIGHBORS, (len(features) - 1) // 3)
    if method == 'tsne':
        return TSNE(perplexity=neighbors, random_state=seed).fit_transform(reduced)
    try:
        from umap import UMAP
    except ImportError as error:
        raise ImportError(
            "The method 'umap' needs the package umap-learn: "
            "pip install -e '.[extra]'. Or use 'tsne'."
        ) from error
    umap = UMAP(n_neighbors=max(2, neighbors), random_state=seed, n_jobs=1)
    return umap.fit_transform(reduced)


def embedding_map(places: np.ndarray, groups: Mapping[str, np.ndarray]) -> Figure:
    """Draw a map, once for each way to colour it.

    Args:
        places (np.ndarray): (N, 2), as of :func:`project`.
        groups (Mapping[str, np.ndarray]): By the name of what they are, e.g.
            ``'cluster'`` or ``'camera'``, the group of each image, (N,) integers;
            negative is none, a small grey cross. Groups differ in colour and marker,
            which recur after 49.

    Returns:
        Figure: A panel for each entry of ``groups``.

    Raises:
        ValueError: If groups do not fit places, or there are none.

    Example:
        >>> figure = embedding_map(places, {'cluster': labels, 'camera': cam_ids})
    """
    if not groups:
        raise ValueError('A map needs at least one way to colour it.')
    figure = Figure(figsize=(6.4 * len(groups), 6), layout='constrained')
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    for ax, (name, values) in zip(axes, groups.items(), strict=True):
        if len(values) != len(places):
            raise ValueError(
                f'The {len(values)} groups in {name!r} do not fit {len(places)} images.'
            )
        _draw_groups(ax, places, name, np.asarray(values))
    return figure


def _draw_groups(ax: Axes, places: np.ndarray, name: str, values: np.ndarray) -> None:
    names, sizes = np.unique(values[values >= 0], return_counts=True)
    alone = values < 0
    if alone.any():
        label = f'no {name} ({alone.sum()})'
        x, y = places[alone].T
        ax.scatter(
            x, y, s=8, c=GREY, marker='x', linewidths=0.6, alpha=0.6, label=label
        )
    for index, (value, size) in enumerate(zip(names, sizes, strict=True)):
        ax.scatter(
            places[values == value, 0],
            places[values == value, 1],
            s=16,
            color=CYCLE[index % len(CYCLE)],
            marker=MARKERS[(index // len(CYCLE) + index) % len(MARKERS)],
            linewidths=0,
            alpha=0.75,
            label=f'{name} {value} ({size})' if len(names) <= LEGEND else None,
        )
    repeated = ', colours and markers repeat' if len(names) > 49 else ''
    ax.set_title(f'By {name}: {len(names)}{repeated}')
    # A map has no units: only what is near means something.
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel(f'{len(places)} images; near images are similar')
    if ax.get_legend_handles_labels()[1]:
        ax.legend(fontsize=8, loc='upper left', markerscale=1.3)
