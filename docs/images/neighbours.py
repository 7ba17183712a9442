"""Draws neighbours.png: ``python docs/images/neighbours.py``."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sketch import COLORS, GRAY, arrow

from mmreid_cc.clustering import jaccard_distance, knn

K = 8
MARKERS = 'os^'


def people() -> tuple[np.ndarray, np.ndarray]:
    """Images of three people as unit vectors near the pole, and who they are."""
    rng = np.random.default_rng(9)  # drawn until an image lay between two people
    middles = np.array([[-0.06, 0.02], [0.13, 0.05], [0.02, -0.16]])
    spreads = 0.05, 0.018, 0.03
    plane = [
        middle + spread * rng.standard_normal((10, 2))
        for middle, spread in zip(middles, spreads, strict=True)
    ]
    plane = np.concatenate([*plane, [[0.02, 0.03]]])
    identities = np.append(np.repeat(np.arange(3), 10), 0)
    height = np.sqrt(1 - (plane**2).sum(1, keepdims=True))
    return np.hstack([plane, height]).astype(np.float32), identities


def draw_images(ax, features, identities, title):
    for person, color in enumerate(COLORS):
        own = features[identities == person]
        ax.plot(own[:, 0], own[:, 1], MARKERS[person], color=color, markersize=8)
    ax.set_title(title, fontsize=11)
    ax.set(xticks=[], yticks=[], aspect='equal')
    ax.margins(0.12)


def draw_matrix(figure, ax, matrix, identities, title):
    order = np.argsort(identities, kind='stable')
    image = ax.imshow(matrix[np.ix_(order, order)], cmap='viridis', vmin=0)
    ends = np.cumsum(np.bincount(identities)) - 0.5
    for end in ends[:-1]:
        ax.axhline(end, color='white', linewidth=1)
        ax.axvline(end, color='white', linewidth=1)
    ax.set_xticks((ends + np.append(-0.5, ends[:-1])) / 2, ['1', '2', '3'])
    ax.set_yticks((ends + np.append(-0.5, ends[:-1])) / 2, ['1', '2', '3'])
    ax.set(xlabel='images of person', ylabel='images of person')
    ax.set_title(title, fontsize=11)
    figure.colorbar(image, ax=ax, shrink=0.8)


def main() -> None:
    features, identities = people()
    neighbors, _ = knn(features, K)
    image = len(features) - 1
    places = features[:, :2]
    figure = Figure(figsize=(10, 8.4), layout='constrained')
    (nearest, mutual), (cosine, jaccard) = figure.subplots(2, 2)

    draw_images(nearest, features, identities, f'1  the {K - 1} nearest of image a')
    draw_images(mutual, features, identities, '2  those that also have a among theirs')
    for other in neighbors[image]:
        if other == image:
            continue
        arrow(nearest, places[image], places[other])
        if image in neighbors[other]:
            arrow(mutual, places[image], places[other], style='<|-|>')
        else:
            line = places[[image, other]].T
            mutual.plot(*line, ':', color=GRAY, linewidth=1)
    for ax in (nearest, mutual):
        ax.annotate('a', places[image], (-4, 9), textcoords='offset points', size=13)
        ax.set_xlabel('shape and colour: the true person')

    pairs = jaccard_distance(features, k1=K, k2=3).tocoo()
    dense = np.ones((len(features), len(features)))  # absent is 1
    dense[pairs.row, pairs.col] = pairs.data
    draw_matrix(
        figure, cosine, 1 - features @ features.T, identities, '3  distance by cosine'
    )
    draw_matrix(
        figure, jaccard, dense, identities, '4  Jaccard distance of the neighbours'
    )
    figure.savefig(Path(__file__).with_suffix('.png'), dpi=100)


if __name__ == '__main__':
    main()
