"""What tasks know of the whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .feature_files import Part
from .layout import Layout

_NONE = np.empty(0, dtype=np.int32)


@dataclass(frozen=True)
class Job:
    """What tasks know of the whole. It grows from stage to stage.

    It is sent to each machine once, and shared by the workers there.

    Args:
        batches (list[list[Part]]): Parts of the features that a task reads.
        layout (Layout): Where rows lie; without rows until cells are known.
        centroids (np.ndarray): (C, D) float32 of the cells.
        starts (np.ndarray): (C + 1,) the first place of each cell, and N.
        settings (Mapping[str, Any]): Of :class:`mmreid_cc.clustering.DBSCAN`: ``eps``,
            ``min_samples``, ``k1`` and ``k2``.
        twins (np.ndarray): (N,) int32, the first row with the same encoding.
        chosen (np.ndarray): (S,) integers, ascending, rows of a sample that is read.
    """

    batches: list[list[Part]]
    layout: Layout
    centroids: np.ndarray = field(default_factory=lambda: _NONE)
    starts: np.ndarray = field(default_factory=lambda: _NONE)
    settings: Mapping[str, Any] = field(default_factory=dict)
    twins: np.ndarray = field(default_factory=lambda: _NONE)
    chosen: np.ndarray = field(default_factory=lambda: _NONE)
