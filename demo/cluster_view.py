"""The state of the clusters in one window, and how clicks change it."""

from dataclasses import dataclass, replace

import numpy as np

from mmreid_cc.apis.label_editor import UNCLUSTERED


@dataclass(frozen=True)
class View:
    """The state of one window.

    Args:
        cluster (int | None): Cluster whose images are shown; −1 for the un-clustered.
        other (int | None): A cluster below it, to compare.
        picked (frozenset[int]): Rows that were clicked.
    """

    cluster: int | None = None
    other: int | None = None
    picked: frozenset[int] = frozenset()


def open_cluster(view: View, number: int) -> View:
    """Show another cluster."""
    return View(number)


def compare(view: View, number: int) -> View:
    """Show another cluster below."""
    return replace(view, other=number)


def pick(view: View, row: int) -> View:
    """Pick an image, or unpick it."""
    return replace(view, picked=view.picked ^ {row})


def chosen(cluster: int | None) -> int:
    """Return a cluster that a step needs.

    Raises:
        ValueError: If none was clicked.
    """
    if cluster is None:
        raise ValueError('Click a cluster first.')
    return cluster


def still_there(view: View, labels: np.ndarray) -> View:
    """Return the part of a view that still exists after steps of any window.

    Args:
        view (View): Before the step.
        labels (np.ndarray): (N,) int64, after it.

    Returns:
        View: Without clusters that are no more, and images that are elsewhere.
    """
    if view.cluster is None or not (labels == view.cluster).any():
        return View()
    other = view.other
    if other in (view.cluster, UNCLUSTERED) or not (labels == other).any():
        other = None
    picked = {
        row
        for row in view.picked
        if 0 <= row < len(labels) and labels[row] == view.cluster
    }
    return View(view.cluster, other, frozenset(picked))
