"""The base class of the algorithms that leave the clustering to another one."""

from typing import Any

import numpy as np

from .base import CLUSTERERS, BaseClusterer, arguments_taken


class WrappingClusterer(BaseClusterer):
    """Base class of the algorithms that run another one, once or several times.

    A subclass calls :meth:`cluster_by` for each run. The state of the other algorithm
    becomes part of its own, so that checkpoints keep it, and so do the stages.

    Args:
        clusterer (dict): Config of the other algorithm. It must not take tracks,
            because it would not be given them.

    Attributes:
        clusterer (BaseClusterer): The other algorithm.

    Raises:
        ValueError: If it takes tracks.

    Example:
        >>> class Twice(WrappingClusterer):
        ...     def cluster(self, features):
        ...         first = self.cluster_by('first', self.clusterer, features)
        ...         return self.cluster_by('second', self.clusterer, features + first)
    """

    def __init__(self, clusterer: dict[str, Any]) -> None:
        self.clusterer: BaseClusterer = CLUSTERERS.build(clusterer)
        if arguments_taken(self.clusterer, tracks=None):
            own, inner = type(self).__name__, type(self.clusterer).__name__
            advice = f"dict(type='{inner}', clusterer=dict(type='{own}', ...))"
            raise ValueError(
                f'{own} passes no tracks on, so it cannot run {inner}, which takes '
                f'them.{"" if own == inner else f" Let it be the outer one: {advice}."}'
            )

    def cluster_by(
        self, name: str, clusterer: BaseClusterer, features: np.ndarray, **known: Any
    ) -> np.ndarray:
        """Cluster by another algorithm, and take over its state and its stages.

        Args:
            name (str): Key of its state within :attr:`state`. Calls with the same name
                continue from each other.
            clusterer (BaseClusterer): The algorithm.
            features (np.ndarray): See :meth:`BaseClusterer.fit_predict`.
            **known (array): What is known of the images, e.g. ``cam_ids``; the
                algorithm is given what it takes.

        Returns:
            np.ndarray: (N,) int64, as :meth:`BaseClusterer.fit_predict` returns them.
        """
        clusterer.state = self.state.get(name, {})
        arguments = arguments_taken(clusterer, **known)
        labels = clusterer.fit_predict(features, **arguments)
        others = {key: state for key, state in self.state.items() if key != name}
        own = {name: clusterer.state} if clusterer.state else {}
        self.state = {**others, **own}
        for stage, seconds in clusterer.stage_seconds.items():
            seconds += self.stage_seconds.get(stage, 0.0)
            self.stage_seconds = {**self.stage_seconds, stage: seconds}
        return labels
