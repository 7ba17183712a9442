"""Links across cameras, at most one between a person and each other camera."""

import numpy as np

from .base import CLUSTERERS
from .camera_links import CameraLinks, nearest_of

_NEAREST = 20  # candidates of each image in the other camera
_ROUNDS = 50  # of balancing


@CLUSTERERS.register_module()
class CameraMatching(CameraLinks):
    r"""Match every two cameras one to one, and keep the pairs that are certain.

    A nearest neighbour may be the nearest of many. Here the images of two cameras
    compete: of the weights :math:`\exp(s / \tau)`, s the cosine after each camera's
    mean was subtracted, rows and columns are divided by their sums in turn until all
    sums are 1, as in a matching of one to one (entropic optimal transport). A pair is
    linked if it holds more than ``min_share`` of the weight of both. From one half on,
    nobody has two partners. As a network learns, weights concentrate, and so links grow
    from the surest to almost all.

    It is intended for the tracks of :class:`Tracklets` if a person has one track in
    each camera. If a person has several, they share the weight, and ``min_share`` must
    be lower. Only the 20 nearest of each image in the other camera are candidates. An
    image without a link is un-clustered. Stages: ``links``.

    Args:
        temperature (float): τ, from 0.005 on; the smaller, the more links. Defaults to
            0.03.
        min_share (float): What a link must exceed, in [0, 1). Defaults to 0.5.

    Raises:
        ValueError: If one is out of its range.

    Source: Sinkhorn and Knopp, Pacific Journal of Mathematics 21, 1967; Cuturi,
    Sinkhorn Distances, NeurIPS 2013.

    Example:
        >>> features = np.float32([[1, 0], [0, 1], [1, 0.1], [0.1, 1]])
        >>> features /= np.linalg.norm(features, axis=1, keepdims=True)
        >>> clusterer = CLUSTERERS.build(dict(type='CameraMatching'))
        >>> clusterer.fit_predict(features, cam_ids=[1, 1, 2, 2])
        array([0, 1, 0, 1])
    """

    def __init__(self, temperature: float = 0.03, min_share: float = 0.5) -> None:
        if not temperature >= 0.005:  # exp(−2 / τ) must stay above 0
            raise ValueError(f'temperature must be at least 0.005, got {temperature}.')
        if not 0 <= min_share < 1:
            raise ValueError(f'min_share must lie in [0, 1), got {min_share}.')
        self.temperature, self.min_share = temperature, min_share

    def link(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Link the pairs that are certain, see :meth:`CameraLinks.link`."""
        pairs, similarities = _candidates(one, other)
        rows, columns = pairs
        weights = np.exp((similarities - similarities.max()) / self.temperature)
        by_row = by_column = weights
        for _ in range(_ROUNDS):
            by_row = by_column / np.bincount(rows, by_column)[rows]
            by_column = by_row / np.bincount(columns, by_row)[columns]
        sure = np.minimum(by_row, by_column) > self.min_share
        return pairs[:, sure].T


def _candidates(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find pairs (2, C), one among the nearest of the other, and similarities."""
    size = len(one), len(other)
    forth, near = nearest_of(one, other, min(_NEAREST, size[1]))
    back, far = nearest_of(other, one, min(_NEAREST, size[0]))
    rows = np.repeat(np.arange(size[0]), forth.shape[1])
    columns = np.repeat(np.arange(size[1]), back.shape[1])
    keys = np.concatenate(
        [rows * size[1] + forth.ravel(), back.ravel() * size[1] + columns]
    )
    keys, first = np.unique(keys, return_index=True)
    similarities = np.concatenate([near.ravel(), far.ravel()])[first]
    return np.stack(np.divmod(keys, size[1])), similarities.astype(np.float64)
