"""Batches of P clusters × K images, drawn by pseudo label across cameras."""

import logging
from collections.abc import Iterator

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.logging import print_log
from torch.utils.data import Sampler

from mmreid_cc.clustering.input_checks import check_count
from mmreid_cc.clustering.tracks import number_tracks
from mmreid_cc.registry import DATA_SAMPLERS

from ..seeding import SeededIndex


@DATA_SAMPLERS.register_module()
class RandomMultipleGallerySampler(Sampler[int]):
    """Draw ``num_clusters`` × ``num_instances`` images for every iteration.

    The clusters of an epoch come from random permutations: each gives as many full
    batches as it can, drops its tail, and another one starts. Of a cluster, a first
    image is drawn, then ``num_instances − 1`` images of it *from other cameras*.

    Every process draws the same global batches from (seed, epoch) and keeps its
    contiguous share, so that 4 processes together see what one process sees. Every
    index carries the seed of its augmentation, (seed, epoch, position in the epoch).
    The number of iterations is constant, however many clusters there are.

    Behaviour in corner cases:
        - Fewer than ``num_instances`` images to draw from: they are drawn with
          replacement.
        - A cluster seen by one camera only: its other images are drawn. A cluster of
          one image: that image is repeated.
        - Fewer clusters than ``num_clusters``: clusters recur within a batch, which a
          warning says, unless ``adapt_instances`` finds another P × K.
        - No cluster, or no labels yet: iterating raises a RuntimeError.

    Args:
        dataset (BaseDataset): Data set with ``column('cam_id')`` and, for
            ``track_aware``, ``column('track')``, e.g. :class:`ReIDDataset`.
        num_clusters (int): P, of the batches of all processes together.
        num_instances (int): K, images of each cluster in a batch.
        iters_per_epoch (int): Batches in an epoch.
        camera_aware (bool): Draw the other images from other cameras than the first.
            Defaults to True.
        seed (int, optional): Defaults to the seed of the Runner.
        adapt_instances (bool): Share the P × K images of a batch out anew by the
            clusters that there are: fewer of more clusters, where most clusters have
            less than K images, and more of fewer, where there are less than P clusters.
            The batch keeps its size, and the log tells P and K. Defaults to False.
        track_aware (bool): Draw an image of every track of the cluster before a second
            one of any: the images of a track are much alike. Cameras come first, if
            ``camera_aware``. An image without a track is one by itself. Defaults to
            False.

    Raises:
        ValueError: If a number is less than 1, P × K cannot be shared equally by the
            processes, or the data set is no :class:`ReIDDataset`.

    References:
        Cluster Contrast (arXiv 2103.11568), section 4.2; the camera-aware draw is from
        SpCL (Ge et al., NeurIPS 2020) and its public code.

    Examples:
        .. code:: python

            train_dataloader = dict(
                batch_size=256,
                sampler=dict(
                    type='RandomMultipleGallerySampler', num_clusters=16,
                    num_instances=16, iters_per_epoch=200),
                ...)

        >>> sampler = RandomMultipleGallerySampler(dataset, 4, 4, 10, seed=0)
        >>> sampler.set_labels(np.array([0, 0, 1, 1, -1, ...]))
        >>> next(iter(sampler))
        3
    """

    def __init__(
        self,
        dataset: BaseDataset,
        num_clusters: int,
        num_instances: int,
        iters_per_epoch: int,
        camera_aware: bool = True,
        seed: int | None = None,
        adapt_instances: bool = False,
        track_aware: bool = False,
    ) -> None:
        check_count('num_clusters', num_clusters)
        check_count('num_instances', num_instances)
        check_count('iters_per_epoch', iters_per_epoch)
        self.rank, self.world_size = get_dist_info()
        if num_clusters * num_instances % self.world_size:
            raise ValueError(
                f'A batch of {num_clusters} clusters × {num_instances} images cannot '
                f'be shared by {self.world_size} processes. Change `num_clusters` or '
                '`num_instances` of the sampler, or the number of processes.'
            )
        if not hasattr(dataset, 'column'):
            raise ValueError(
                'RandomMultipleGallerySampler needs a ReIDDataset, whose cameras it '
                f'reads by `column("cam_id")`, not {type(dataset).__name__}.'
            )
        self.num_images = len(dataset)
        cam_ids = dataset.column('cam_id')
        self.cam_ids = cam_ids if camera_aware else None
        self.tracks = None
        if track_aware:
            self.tracks = number_tracks(dataset.column('track'), cam_ids)
        self.num_clusters = num_clusters
        self.num_instances = num_instances
        self.most_instances = num_instances
        self.adapt_instances = adapt_instances
        self.iters_per_epoch = iters_per_epoch
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.first_iteration = 0
        self.clusters: list[np.ndarray] | None = None

    @property
    def batch_size(self) -> int:
        """The number of images of one batch in this process, P × K / processes."""
        return self.num_clusters * self.num_instances // self.world_size

    def __len__(self) -> int:
        return self.iters_per_epoch * self.batch_size

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch whose batches are drawn next."""
        self.epoch = epoch

    def skip(self, iterations: int) -> None:
        """Leave out the first batches of the next epoch that is drawn.

        Args:
            iterations (int): Iterations of that epoch, which a resumed run has seen
                before.
        """
        self.first_iteration = iterations

    def set_labels(self, labels: np.ndarray) -> None:
        """Set the labels to draw by.

        Args:
            labels (np.ndarray): Cluster of every image, −1 for none; shape (N,), int.

        Raises:
            ValueError: If there is not one label for each image.
        """
        self.check_labels(labels)
        self.clusters = members_of(labels)
        if self.adapt_instances and self.clusters:
            self._adapt()
        if 0 < len(self.clusters) < self.num_clusters:
            print_log(
                f'{len(self.clusters)} clusters are fewer than the {self.num_clusters} '
                'of a batch, so clusters are repeated within batches.',
                logger='current',
                level=logging.WARNING,
            )

    def check_labels(self, labels: np.ndarray) -> None:
        """Check that there is one label for each image.

        Args:
            labels (np.ndarray): Shape (N,).

        Raises:
            ValueError: If the shape is another one.
        """
        if labels.shape != (self.num_images,):
            raise ValueError(
                f'Expected one label for each of {self.num_images} images, got an '
                f'array of shape {labels.shape}.'
            )

    def _adapt(self) -> None:
        """Choose P and K by the clusters, with the same product."""
        sizes = [len(members) for members in self.clusters or ()]
        batch = self.num_clusters * self.num_instances
        wanted = min(self.most_instances, max(2, int(np.median(sizes))))
        instances = next(
            k
            for k in range(1, batch + 1)
            if batch % k == 0 and k >= wanted and batch // k <= len(sizes)
        )
        if instances != self.num_instances:
            self.num_clusters, self.num_instances = batch // instances, instances
            print_log(
                f'A batch is now {self.num_clusters} clusters × {instances} images: '
                f'there are {len(sizes)} clusters, half of them of '
                f'{int(np.median(sizes))} images or less.',
                logger='current',
                level=logging.INFO,
            )

    def __iter__(self) -> Iterator[int]:
        """Yield the sample indices of this process, batch after batch."""
        if not self.clusters:
            raise RuntimeError(
                'RandomMultipleGallerySampler has no clusters to draw from. Labels are '
                'set by ClusterMemoryHook before every epoch: add it to the config, or '
                'call `sampler.set_labels(labels)` with some label ≥ 0.'
            )
        rng = np.random.default_rng([self.seed, self.epoch])
        share = slice(self.rank * self.batch_size, (self.rank + 1) * self.batch_size)
        first, self.first_iteration = self.first_iteration, 0
        batches = self._draw_batches(rng)
        for iteration in range(self.iters_per_epoch):
            batch = next(batches)
            if iteration < first:
                continue
            positions = np.arange(len(batch)) + iteration * len(batch)
            for index, position in zip(batch[share], positions[share], strict=True):
                seed = self.seed, self.epoch, int(position)
                yield SeededIndex(int(index), seed)

    def _draw_batches(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield endless batches of images, of all processes together."""
        clusters = self.clusters or []
        for drawn in draw_numbers(len(clusters), self.num_clusters, rng):
            images = [self._draw_images(clusters[number], rng) for number in drawn]
            yield np.concatenate(images)

    def _draw_images(self, members: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a first image of a cluster, and K − 1 from other cameras if any."""
        first = rng.choice(members)
        others = members[members != first]
        if self.cam_ids is not None:
            elsewhere = others[self.cam_ids[others] != self.cam_ids[first]]
            others = elsewhere if len(elsewhere) else others
        if not len(others):
            return np.repeat(first, self.num_instances)
        few = len(others) < self.num_instances
        if self.tracks is not None and not few:
            others = rng.permutation(others)
            turns = _turns(self.tracks[np.append(first, others)])[1:]
            others = others[np.argsort(turns, kind='stable')]
            return np.append(first, others[: self.num_instances - 1])
        return np.append(first, rng.choice(others, self.num_instances - 1, replace=few))


def draw_numbers(
    count: int, size: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Draw numbers from random permutations, endlessly.

    A permutation gives as many full draws as it can, and its tail is dropped.

    Args:
        count (int): Numbers are drawn from 0…count − 1; at least 1.
        size (int): The length of a draw. If there are fewer numbers, they recur in it.
        rng (np.random.Generator): The source.

    Yields:
        np.ndarray: Shape (size,), int64.

    Example:
        >>> next(draw_numbers(3, 3, np.random.default_rng(0)))
        array([2, 0, 1])
    """
    repeats = -(-size // count)  # 1 unless there are fewer than are drawn
    while True:
        drawn = np.concatenate([rng.permutation(count) for _ in range(repeats)])
        for start in range(0, len(drawn) - size + 1, size):
            yield drawn[start : start + size]


def _turns(tracks: np.ndarray) -> np.ndarray:
    """Count how many images of the same track come before each image."""
    order = np.argsort(tracks, kind='stable')
    ordered = tracks[order]
    turns = np.empty(len(tracks), dtype=np.int64)
    turns[order] = np.arange(len(tracks)) - np.searchsorted(ordered, ordered)
    return turns


def members_of(labels: np.ndarray) -> list[np.ndarray]:
    """Return the images of each cluster, without un-clustered ones.

    Args:
        labels (np.ndarray): Cluster of every image, −1 for none; shape (N,), int.

    Returns:
        list[np.ndarray]: Indices of images, cluster by cluster.

    Example:
        >>> members_of(np.array([1, -1, 0, 1]))
        [array([2]), array([0, 3])]
    """
    order = np.argsort(labels, kind='stable')
    sizes = np.bincount(labels[labels >= 0])
    clustered = order[len(labels) - sizes.sum() :]
    clusters = np.split(clustered, np.cumsum(sizes)[:-1])
    return [members for members in clusters if len(members)]
