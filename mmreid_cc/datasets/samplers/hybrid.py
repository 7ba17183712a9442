"""Batches of clusters and of un-clustered images."""

from collections.abc import Iterator

import numpy as np

from mmreid_cc.registry import DATA_SAMPLERS

from ..adaptation import source_classes
from .random_multiple_gallery import RandomMultipleGallerySampler, members_of


@DATA_SAMPLERS.register_module()
class HybridSampler(RandomMultipleGallerySampler):
    """Draw images of clusters, and un-clustered images one by one.

    A batch has P × K places. Clusters and un-clustered images come in the order of a
    permutation of both; a cluster takes K places, drawn as by
    :class:`RandomMultipleGallerySampler`, and an un-clustered image takes one, as does
    a cluster of one image. What a batch has no place for begins the next one.

    With an :class:`AdaptationReID` the first half of every batch is drawn so from the
    target, and the second half from the classes of its sources. Batch norm groups that
    divide half a batch then hold images of one of both.

    Behaviour in corner cases: with no cluster at all the images are drawn one by one.

    Args:
        dataset (BaseDataset): As :class:`RandomMultipleGallerySampler`.
        num_clusters (int): P, of the batches of all processes together.
        num_instances (int): K, images of a cluster in a batch.
        iters_per_epoch (int): Batches in an epoch.
        camera_aware (bool): Draw the other images of a cluster from other cameras than
            the first. Defaults to True.
        seed (int, optional): Defaults to the seed of the Runner.

    Raises:
        ValueError: As :class:`RandomMultipleGallerySampler`; and if the data set has
            sources and a batch no two halves.

    References:
        SpCL (Ge et al., NeurIPS 2020) and its public code.

    Examples:
        .. code:: python

            sampler=dict(type='HybridSampler', num_clusters=16, num_instances=4,
                         iters_per_epoch=400)
    """

    def __init__(
        self,
        dataset: object,
        num_clusters: int,
        num_instances: int,
        iters_per_epoch: int,
        camera_aware: bool = True,
        seed: int | None = None,
    ) -> None:
        super().__init__(
            dataset, num_clusters, num_instances, iters_per_epoch, camera_aware, seed
        )
        self.of_source = source_classes(dataset) >= 0
        if self.of_source.any() and num_clusters * num_instances % 2:
            raise ValueError(
                f'A batch of {num_clusters} × {num_instances} images cannot be divided '
                'equally between target and source: change `num_clusters` of the '
                'sampler.'
            )
        self.source_clusters: list[np.ndarray] = []

    def set_labels(self, labels: np.ndarray) -> None:
        """Set the labels to draw by, see :class:`RandomMultipleGallerySampler`."""
        self.check_labels(labels)
        alone = np.flatnonzero((labels < 0) & ~self.of_source)
        of_target = np.where(self.of_source, -1, labels)
        self.clusters = [*members_of(of_target), *alone.reshape(-1, 1)]
        self.source_clusters = members_of(np.where(self.of_source, labels, -1))

    def _draw_batches(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield endless batches of images, of all processes together."""
        size = self.num_clusters * self.num_instances
        if not self.source_clusters:
            yield from self._draw_classes(self.clusters or [], size, rng)
        target = self._draw_classes(self.clusters or [], size // 2, rng)
        source = self._draw_classes(self.source_clusters, size // 2, rng)
        for first, second in zip(target, source, strict=True):
            yield np.concatenate([first, second])

    def _draw_classes(
        self, classes: list[np.ndarray], size: int, rng: np.random.Generator
    ) -> Iterator[np.ndarray]:
        """Yield endless pieces of so many images from some classes."""
        drawn = np.empty(0, dtype=np.int64)
        while True:
            for number in rng.permutation(len(classes)):
                members = classes[number]
                images = (
                    members if len(members) == 1 else self._draw_images(members, rng)
                )
                drawn = np.append(drawn, images)
                while len(drawn) >= size:
                    yield drawn[:size]
                    drawn = drawn[size:]
