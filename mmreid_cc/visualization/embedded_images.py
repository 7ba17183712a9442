"""The images of a test set, with what pictures of its ranking need."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from mmreid_cc.evaluation.functional.protocol import JUNK_PID

BLOCK = 64  # queries compared at a time


class Comparison(NamedTuple):
    """A query compared with every gallery image.

    Attributes:
        similarities (np.ndarray): (G,) floating, the cosines.
        matches (np.ndarray): (G,) bool, whether it is the query's identity.
        counted (np.ndarray): (G,) bool; False is left out of ranking: junk, and the
            query's identity in its own camera.
    """

    similarities: np.ndarray
    matches: np.ndarray
    counted: np.ndarray


@dataclass(frozen=True)
class EmbeddedImages:
    """Queries and gallery, row by row.

    Args:
        paths (np.ndarray): (N,) files.
        features (np.ndarray): (N, D) floating, L2-normalised.
        pids (np.ndarray): (N,) identities; −1 is junk.
        cam_ids (np.ndarray): (N,) cameras.
        is_query (np.ndarray): (N,) bool; the others are the gallery.
        exclude_same_camera (bool): Whether gallery images of the query's identity and
            camera do not count, as in Market-1501. Defaults to True.

    Raises:
        ValueError: If columns differ in length, or query or gallery is empty.

    Example:
        >>> images = EmbeddedImages(paths, features, pids, cam_ids, is_query)
        >>> images.compare(images.queries[0]).similarities.max()
        0.93
    """

    paths: np.ndarray
    features: np.ndarray
    pids: np.ndarray
    cam_ids: np.ndarray
    is_query: np.ndarray
    exclude_same_camera: bool = True

    def __post_init__(self) -> None:
        columns = ('paths', 'features', 'pids', 'cam_ids', 'is_query')
        lengths = {name: len(getattr(self, name)) for name in columns}
        if len(set(lengths.values())) > 1:
            raise ValueError(f'The columns must be of one length, got {lengths}.')
        if not len(self.queries) or not len(self.gallery):
            raise ValueError(
                f'{len(self.queries)} queries and {len(self.gallery)} gallery images: '
                'a ranking needs both, told apart by `is_query`.'
            )

    @cached_property
    def queries(self) -> np.ndarray:
        """The rows of the queries, (Q,)."""
        return np.flatnonzero(self.is_query)

    @cached_property
    def gallery(self) -> np.ndarray:
        """The rows of the gallery, including junk, (G,)."""
        return np.flatnonzero(~self.is_query)

    @cached_property
    def _gallery_features(self) -> np.ndarray:
        """The features of the gallery, (G, D)."""
        return self.features[self.gallery]

    def compare(self, query: int) -> Comparison:
        """Compare one query with the gallery.

        Args:
            query (int): Its row.

        Returns:
            Comparison: In the order of :attr:`gallery`.
        """
        similarities = self._gallery_features @ self.features[query]
        return self._comparison(query, similarities)

    def comparisons(self) -> Iterator[Comparison]:
        """Compare all queries with the gallery, a block of queries at a time.

        Returns:
            Iterator[Comparison]: In the order of :attr:`queries`.
        """
        for start in range(0, len(self.queries), BLOCK):
            block = self.queries[start : start + BLOCK]
            rows = self.features[block] @ self._gallery_features.T
            yield from map(self._comparison, block, rows)

    def _comparison(self, query: int, similarities: np.ndarray) -> Comparison:
        pids = self.pids[self.gallery]
        matches = pids == self.pids[query]
        counted = pids != JUNK_PID
        if self.exclude_same_camera:
            counted &= ~(matches & (self.cam_ids[self.gallery] == self.cam_ids[query]))
        return Comparison(similarities, matches, counted)

    def ranking_arguments(self) -> dict[str, Any]:
        """Return the arguments of the functions of :mod:`mmreid_cc.evaluation`.

        Returns:
            dict[str, Any]: As ``ranking_metrics`` takes them by name; without junk.
        """
        gallery = self.gallery[self.pids[self.gallery] != JUNK_PID]
        arguments: dict[str, Any] = {}
        for part, rows in (('query', self.queries), ('gallery', gallery)):
            arguments[f'{part}_features'] = self.features[rows]
            arguments[f'{part}_pids'] = self.pids[rows]
            arguments[f'{part}_cams'] = self.cam_ids[rows]
        return {**arguments, 'exclude_same_camera': self.exclude_same_camera}
