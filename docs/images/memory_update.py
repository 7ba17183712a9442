"""Draws memory_update.png: ``python docs/images/memory_update.py``."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from sketch import COLORS, GRAY, arrow

from mmreid_cc.models import ClusterMemory

QUERIES = (58, 20, 38)  # angles in degrees, in the order of the batch
OLD = 80


def unit(degrees: float) -> torch.Tensor:
    return torch.tensor([[np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]])


def moves(momentum: float, update: str) -> list[np.ndarray]:
    """The centroid before the update and after each query that moves it."""
    if update == 'hard':  # one update by the least similar query
        batches = [QUERIES]
    else:
        batches = [QUERIES[: count + 1] for count in range(len(QUERIES))]
    places = [unit(OLD)]
    for batch in batches:
        memory = ClusterMemory(momentum, update=update)
        memory.reset(unit(OLD))
        queries = torch.cat([unit(degrees) for degrees in batch]).requires_grad_()
        memory(queries, torch.zeros(len(batch), dtype=torch.long)).backward()
        places.append(memory.centroids.clone())
    return [place.numpy()[0] for place in places]


def draw(ax, momentum, update, title):
    around = np.radians(np.linspace(0, 95, 100))
    ax.plot(np.cos(around), np.sin(around), color='#cccccc', zorder=0)
    for number, degrees in enumerate(QUERIES, 1):
        x, y = unit(degrees)[0]
        ax.plot(x, y, 's', color=COLORS[1], markersize=9)
        ax.text(1.07 * x, 1.07 * y, f'query {number}', va='center', fontsize=9)
    places = moves(momentum, update)
    for place in places[1:-1]:
        ax.plot(*place, 'o', color='#9ecae9', markersize=7)
    for place, name in ((places[0], 'before'), (places[-1], 'after')):
        ax.plot(*place, 'o', color=COLORS[0], markersize=11)
        arrow(ax, (0, 0), 0.95 * place, color=COLORS[0])
        text = ax.text(*(0.5 * place), name, ha='center', size=10, color=COLORS[0])
        text.set_bbox(dict(facecolor='white', edgecolor='none', pad=2))
    for start, end in pairwise(places):
        arrow(ax, 0.97 * start, 0.97 * end, bend=0.25, color=GRAY)
    ax.set_title(title, fontsize=11)
    ax.set(xlim=(-0.12, 1.32), ylim=(-0.05, 1.12), aspect='equal')
    ax.axis('off')


def main() -> None:
    figure = Figure(figsize=(12, 4), layout='constrained')
    first, second, third = figure.subplots(1, 3)
    draw(first, 0.1, 'momentum', "update='momentum', m = 0.1 (the recipe)")
    draw(second, 0.8, 'momentum', "update='momentum', m = 0.8")
    draw(third, 0.1, 'hard', "update='hard', m = 0.1")
    figure.savefig(Path(__file__).with_suffix('.png'), dpi=100)


if __name__ == '__main__':
    main()
