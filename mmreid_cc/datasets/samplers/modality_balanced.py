"""Batches of as many visible as infrared images."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmreid_cc.clustering import infrared_images
from mmreid_cc.registry import DATA_SAMPLERS

from .random_multiple_gallery import (
    RandomMultipleGallerySampler,
    draw_numbers,
    members_of,
)


@DATA_SAMPLERS.register_module()
class ModalityBalancedSampler(RandomMultipleGallerySampler):
    """Draw P / 2 visible and P / 2 infrared clusters × K images.

    The clusters of both modalities take turns in a batch, so that every process, and
    every batch norm group of 2 · K images or more, gets both. What
    both modalities have of a cluster is one cluster of each. Of a cluster the images
    are drawn as by :class:`RandomMultipleGallerySampler`.

    Behaviour in corner cases: where all images of a modality are un-clustered, batches
    are of the other alone, which a warning says.

    Args:
        dataset (BaseDataset): With ``column('cam_id')``, e.g. :class:`SYSUMM01`.
        infrared_cameras (Sequence[int]): The numbers of the infrared cameras; all other
            cameras are visible ones.
        num_clusters (int): P, of both modalities and all processes together; even.
        num_instances (int): K, images of each cluster in a batch.
        iters_per_epoch (int): Batches in an epoch.
        camera_aware (bool): Draw the other images of a cluster from other cameras than
            the first. Defaults to True.
        seed (int, optional): Defaults to the seed of the Runner.

    Raises:
        ValueError: As :class:`RandomMultipleGallerySampler`; if P is odd, or the data
            set has no image of a modality.

    Examples:
        .. code:: python

            sampler=dict(type='ModalityBalancedSampler', infrared_cameras=(3, 6),
                         num_clusters=16, num_instances=16, iters_per_epoch=200)
    """

    def __init__(
        self,
        dataset: Any,
        infrared_cameras: Sequence[int],
        num_clusters: int,
        num_instances: int,
        iters_per_epoch: int,
        camera_aware: bool = True,
        seed: int | None = None,
    ) -> None:
        super().__init__(
            dataset, num_clusters, num_instances, iters_per_epoch, camera_aware, seed
        )
        if num_clusters % 2:
            raise ValueError(
                f'{num_clusters} clusters cannot be divided equally between two '
                'modalities: make `train_dataloader.sampler.num_clusters` even.'
            )
        self.infrared = infrared_images(dataset.column('cam_id'), infrared_cameras)
        self.modalities: list[list[np.ndarray]] = []

    def set_labels(self, labels: np.ndarray) -> None:
        """Choose what is drawn from, see :class:`RandomMultipleGallerySampler`."""
        self.check_labels(labels)
        visible = members_of(np.where(self.infrared, -1, labels))
        infrared = members_of(np.where(self.infrared, labels, -1))
        self.clusters = [*visible, *infrared]
        self.modalities = [found for found in (visible, infrared) if found]
        for name, found in (('visible', visible), ('infrared', infrared)):
            if self.clusters and len(found) < self.num_clusters // 2:
                print_log(
                    f'{len(found)} {name} clusters are fewer than the '
                    f'{self.num_clusters // 2} of a batch: '
                    + (
                        'clusters recur within batches.'
                        if found
                        else 'batches are of the other modality alone.'
                    ),
                    logger='current',
                    level=logging.WARNING,
                )

    def _draw_batches(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Endless batches of images, of all processes together."""
        size = self.num_clusters // len(self.modalities)
        draws = [draw_numbers(len(found), size, rng) for found in self.modalities]
        for numbers in zip(*draws, strict=True):
            images = [
                self._draw_images(found[number], rng)
                for turn in zip(*numbers, strict=True)
                for found, number in zip(self.modalities, turn, strict=True)
            ]
            yield np.concatenate(images)
