"""Batches of P identities × K images, for training with labels."""

from mmengine.dataset import BaseDataset

from mmreid_cc.registry import DATA_SAMPLERS

from ..identities import identity_labels
from .random_multiple_gallery import RandomMultipleGallerySampler


@DATA_SAMPLERS.register_module()
class RandomIdentitySampler(RandomMultipleGallerySampler):
    """Draw ``num_clusters`` identities × ``num_instances`` images for every iteration.

    It is a :class:`RandomMultipleGallerySampler` whose clusters are the true
    identities, known from the start. Everything about processes, seeds and corner cases
    there applies here, and the config has the same keys. Images of unknown identity are
    not drawn.

    Args:
        dataset (BaseDataset): Data set with ``column('pid')``, e.g.
            :class:`LabelledReID`.
        num_clusters (int): P, identities in a batch of all processes together.
        num_instances (int): K, images of each identity in a batch.
        iters_per_epoch (int): Batches in an epoch.
        camera_aware (bool): Draw the other images of an identity from other cameras
            than the first. Defaults to False.
        seed (int, optional): Defaults to the seed of the Runner.

    Raises:
        ValueError: As :class:`RandomMultipleGallerySampler`, and if no identity is
            known.

    References:
        P × K batches: Hermans et al., arXiv 1703.07737, section 2.

    Examples:
        .. code:: python

            train_dataloader = dict(
                batch_size=64,
                sampler=dict(
                    type='RandomIdentitySampler', num_clusters=16, num_instances=4,
                    iters_per_epoch=200),
                ...)

        >>> sampler = RandomIdentitySampler(dataset, 4, 4, 10, seed=0)
        >>> next(iter(sampler))
        3
    """

    def __init__(
        self,
        dataset: BaseDataset,
        num_clusters: int,
        num_instances: int,
        iters_per_epoch: int,
        camera_aware: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__(
            dataset, num_clusters, num_instances, iters_per_epoch, camera_aware, seed
        )
        self.set_labels(identity_labels(dataset.column('pid')))
