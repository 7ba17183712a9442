"""The registry and the base class of all clustering algorithms."""

import inspect
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from mmengine.registry import Registry

from .input_checks import as_features

CLUSTERERS = Registry(
    'clusterer', scope='mmreid_cc', locations=['mmreid_cc.clustering']
)


class BaseClusterer(ABC):
    """Base class of the clustering algorithms.

    A subclass implements :meth:`cluster`; :meth:`fit_predict` checks the features
    before it, and the labels after it.

    Attributes:
        stage_seconds (dict[str, float]): Seconds of each stage of the last call, as
            far as the subclass measures them with :meth:`stage`.
        state (dict[str, Any]): What a later call needs of an earlier one; checkpoints
            keep it.

    Example:
        A clusterer of one's own, from then on ``dict(type='Hemispheres')`` in a config:

        >>> @CLUSTERERS.register_module()
        ... class Hemispheres(BaseClusterer):
        ...     def __init__(self, axis: int = 0) -> None:
        ...         self.axis = axis
        ...
        ...     def cluster(self, features: np.ndarray) -> np.ndarray:
        ...         with self.stage('sign'):
        ...             return (features[:, self.axis] > 0).astype(int)
        >>> clusterer = CLUSTERERS.build(dict(type='Hemispheres'))
        >>> clusterer.fit_predict(np.array([[1.0], [-1.0]]))
        array([1, 0])
        >>> list(clusterer.stage_seconds)
        ['sign']
    """

    stage_seconds: dict[str, float] = {}  # replaced, never filled: no call, no stage
    state: dict[str, Any] = {}  # the same

    def __repr__(self) -> str:
        """Show the call that makes it, with the arguments that it keeps."""
        kept = vars(self)
        names = inspect.signature(type(self)).parameters
        arguments = [f'{name}={kept[name]!r}' for name in names if name in kept]
        return f'{type(self).__name__}({", ".join(arguments)})'

    @abstractmethod
    def cluster(self, features: np.ndarray) -> np.ndarray:
        """Cluster features that have been checked.

        Args:
            features (np.ndarray): (N, D) float32, C-contiguous, finite, N ≥ 1.

        Returns:
            np.ndarray: (N,) integers; negative is un-clustered, any other number
            names a cluster.
        """

    def fit_predict(self, features: Any) -> np.ndarray:
        """Cluster features.

        Args:
            features (array): (N, D) floating, N ≥ 1, rows L2-normalised.

        Returns:
            np.ndarray: (N,) int64: −1 is un-clustered, else 0…C−1, each of them in use.

        Raises:
            TypeError: If the features are not floating-point numbers, or
                :meth:`cluster` returned something else than integers.
            ValueError: If the features are not 2-D and finite, or :meth:`cluster`
                returned another number of labels.
        """
        features = as_features(features)
        self.stage_seconds = {}
        return self.number(self.cluster(features), len(features))

    def number(self, labels: Any, n_rows: int) -> np.ndarray:
        """Check labels and number the clusters without a gap.

        Args:
            labels (array): What :meth:`cluster` returned.
            n_rows (int): Number of images.

        Returns:
            np.ndarray: (N,) int64, as :meth:`fit_predict` returns them.

        Raises:
            TypeError: If the labels are not integers.
            ValueError: If there is another number of them.
        """
        labels = np.asarray(labels)
        if labels.shape != (n_rows,):
            raise ValueError(
                f'{type(self).__name__}.cluster must return one label per image, shape '
                f'({n_rows},), got {labels.shape}.'
            )
        if not np.issubdtype(labels.dtype, np.integer):
            raise TypeError(
                f'{type(self).__name__}.cluster must return integers, '
                f'got {labels.dtype}.'
            )
        clustered = labels >= 0
        result = np.full(len(labels), -1, dtype=np.int64)
        result[clustered] = np.unique(labels[clustered], return_inverse=True)[1]
        return result

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage: its seconds are added to ``stage_seconds[name]``.

        Args:
            name (str): Name of the stage, as it should stand in the log.

        Yields:
            None: Nothing; use it as ``with self.stage('neighbours'):``.
        """
        start = time.perf_counter()
        yield
        seconds = self.stage_seconds.get(name, 0.0) + time.perf_counter() - start
        self.stage_seconds = {**self.stage_seconds, name: seconds}


def arguments_taken(clusterer: BaseClusterer, **known: Any) -> dict[str, Any]:
    """Choose what an algorithm takes from what is known of images.

    Args:
        clusterer (BaseClusterer): The algorithm.
        **known (array): Arguments by name, e.g. ``cam_ids``, ``tracks`` and ``times``.

    Returns:
        dict[str, array]: Those that its ``fit_predict`` has.

    Example:
        >>> cameras = np.array([1, 1, 2])
        >>> arguments_taken(CLUSTERERS.build(dict(type='ByCamera')), cam_ids=cameras)
        {'cam_ids': array([1, 1, 2])}
        >>> kmeans = CLUSTERERS.build(dict(type='KMeans', n_clusters=2))
        >>> arguments_taken(kmeans, cam_ids=cameras)
        {}
    """
    names = inspect.signature(clusterer.fit_predict).parameters
    return {name: values for name, values in known.items() if name in names}


def takes_cameras(clusterer: BaseClusterer) -> bool:
    """Use :func:`arguments_taken`; deprecated.

    Args:
        clusterer (BaseClusterer): The algorithm.

    Returns:
        bool: Whether its ``fit_predict`` takes ``cam_ids``.
    """
    warnings.warn(
        'takes_cameras is deprecated: use arguments_taken.',
        DeprecationWarning,
        stacklevel=2,
    )
    return bool(arguments_taken(clusterer, cam_ids=None))
