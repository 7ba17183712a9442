"""Batches in which all cameras of all clusters are drawn equally often."""

from typing import Any

import numpy as np

from mmreid_cc.registry import DATA_SAMPLERS

from .random_multiple_gallery import RandomMultipleGallerySampler


@DATA_SAMPLERS.register_module()
class ProxyBalancedSampler(RandomMultipleGallerySampler):
    """Draw P proxies × K images, where a proxy is what one camera sees of a cluster.

    A cluster that many cameras see is drawn more often than by
    :class:`RandomMultipleGallerySampler`, and all cameras equally often. The rest is
    the same; images of unknown camera count as those of one more camera.

    Args:
        dataset (BaseDataset): Data set with ``column('cam_id')``, e.g.
            :class:`ReIDDataset`.
        num_clusters (int): P, proxies in the batches of all processes together.
        num_instances (int): K, images of each proxy in a batch.
        iters_per_epoch (int): Batches in an epoch.
        seed (int, optional): Defaults to the seed of the Runner.

    Raises:
        ValueError: As :class:`RandomMultipleGallerySampler`.

    References:
        CAP (Wang et al., *Camera-aware Proxies for Unsupervised Person
        Re-Identification*, AAAI 2021, arXiv 2012.10674), its proxy-balanced sampling.

    Examples:
        .. code:: python

            sampler=dict(type='ProxyBalancedSampler', num_clusters=8, num_instances=4,
                         iters_per_epoch=400)
    """

    def __init__(
        self,
        dataset: Any,
        num_clusters: int,
        num_instances: int,
        iters_per_epoch: int,
        seed: int | None = None,
    ) -> None:
        super().__init__(
            dataset, num_clusters, num_instances, iters_per_epoch, False, seed
        )
        self.cameras: np.ndarray = dataset.column('cam_id')

    def set_labels(self, labels: np.ndarray) -> None:
        """Set the labels to draw by, see :class:`RandomMultipleGallerySampler`."""
        self.check_labels(labels)
        clustered = labels >= 0
        pairs = np.stack([labels, self.cameras])[:, clustered]
        proxies = np.full(len(labels), -1)
        numbers = np.unique(pairs, axis=1, return_inverse=True)[1]
        proxies[clustered] = numbers.reshape(-1)
        super().set_labels(proxies)
