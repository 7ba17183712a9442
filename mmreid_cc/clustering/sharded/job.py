"""The data that all tasks of a clustering share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .feature_files import Part
from .layout import Layout

_NONE = np.empty(0, dtype=np.int32)


@dataclass(frozen=True)
class Job:
    """The data that all tasks of a clustering share. Each stage adds to it.

    It is sent to each machine once, and shared by the workers there.

    Args:
        batches (list[list[Part]]): For each batch, the parts of the features that it
            holds.
        layout (Layout): Where the rows lie; it has no rows until the cells are known.
        centroids (np.ndarray): The centroids of the cells, (C, D) float32.
        starts (np.ndarray): The first place of each cell, and N at the end; (C + 1,).
        settings (Mapping[str, Any]): The arguments ``eps``, ``min_samples``, ``k1`` and
            ``k2`` of :class:`mmreid_cc.clustering.DBSCAN`.
        twins (np.ndarray): The first row that has the same encoding, (N,) int32.
        chosen (np.ndarray): The rows of a sample, in ascending order; (S,) integers.
    """

    batches: list[list[Part]]
    layout: Layout
    centroids: np.ndarray = field(default_factory=lambda: _NONE)
    starts: np.ndarray = field(default_factory=lambda: _NONE)
    settings: Mapping[str, Any] = field(default_factory=dict)
    twins: np.ndarray = field(default_factory=lambda: _NONE)
    chosen: np.ndarray = field(default_factory=lambda: _NONE)
