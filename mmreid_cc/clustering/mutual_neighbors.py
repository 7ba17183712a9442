"""Links across cameras between mutual nearest neighbours."""

import numpy as np

from .base import CLUSTERERS
from .camera_links import CameraLinks, nearest_of


@CLUSTERERS.register_module()
class MutualNeighbors(CameraLinks):
    """Link mutual nearest neighbours across cameras, without a size or a threshold.

    In every two cameras, an image of one and an image of the other are linked if each
    is the other's nearest after each camera's mean was subtracted. Images that are
    linked, also through others, form a cluster. It is intended for the tracks of
    :class:`Tracklets`, if a person has one track or a few in each camera. An image
    without a link is un-clustered. Stages: ``links``.

    Args:
        min_similarity (float): Least cosine of a link, in [−1, 1], of features without
            camera means. Defaults to 0.0, above which two are alike at all.

    Raises:
        ValueError: If it is out of its range.

    Example:
        >>> features = np.float32([[1, 0], [0, 1], [1, 0.1], [0.1, 1]])
        >>> features /= np.linalg.norm(features, axis=1, keepdims=True)
        >>> clusterer = CLUSTERERS.build(dict(type='MutualNeighbors'))
        >>> clusterer.fit_predict(features, cam_ids=[1, 1, 2, 2])
        array([0, 1, 0, 1])
    """

    def __init__(self, min_similarity: float = 0.0) -> None:
        if not -1 <= min_similarity <= 1:
            raise ValueError(
                f'min_similarity must lie in [−1, 1], got {min_similarity}.'
            )
        self.min_similarity = min_similarity

    def link(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Link mutual nearest neighbours, see :meth:`CameraLinks.link`."""
        forth, similarities = (part[:, 0] for part in nearest_of(one, other, k=1))
        back = nearest_of(other, one, k=1)[0][:, 0]
        mutual = back[forth] == np.arange(len(one))
        rows = np.flatnonzero(mutual & (similarities > self.min_similarity))
        return np.stack([rows, forth[rows]], axis=1)
