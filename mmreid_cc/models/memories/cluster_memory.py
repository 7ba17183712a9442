"""The cluster memory: one momentum-updated vector for each pseudo class."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.clustering import cluster_centroids
from mmreid_cc.registry import MODELS

from .base_memory import BaseMemory
from .checks import check_arguments, check_vectors
from .vector_bank import VectorBank

INITIALIZATIONS = ('centroid', 'sample')


@MODELS.register_module()
class ClusterMemory(BaseMemory):
    r"""Contrast queries with one centroid per cluster, which the queries then move.

    The loss is InfoNCE over all centroids, :math:`-\log \mathrm{softmax}(q C^T / \tau)`
    at the query's own cluster. In the backward pass, after the gradient has been taken
    from the centroids that the forward pass saw, the queries move their centroids:
    :math:`c \leftarrow m c + (1 - m) q`, :math:`c \leftarrow c / |c|`. The memory is
    created again by :meth:`reset` after every clustering, so it is no part of the
    ``state_dict``.

    In a distributed run the queries of all processes, in the order of their ranks, move
    the centroids, so that these stay equal everywhere. Everything here is float32
    (float64 for float64 centroids), also under AMP, and embeddings that are not finite
    move no centroid. Where gradients are accumulated, ``batches_per_update`` batches
    are contrasted with the same centroids, which then move by all of them, as if they
    had been one batch.

    Args:
        momentum (float): m, the weight of the *old* centroid, in [0, 1].
            Defaults to 0.1.
        temperature (float): τ, positive. Defaults to 0.05.
        update (str): ``'momentum'``: every query moves its centroid, one after the
            other in the order of the batch. ``'hard'``: only the query that is least
            similar to its centroid does, once per cluster. Defaults to ``'momentum'``.
        init (str): A cluster begins as the mean of its features, ``'centroid'``, or,
            for ablations, as one of them, ``'sample'``. Which one is drawn depends on
            the labels alone: all processes and a resumed run draw the same. Defaults
            to ``'centroid'``.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Cluster Contrast (arXiv 2103.11568), equations 2 to 4. ``'hard'`` is from the
        first version of the paper and TransReID-SSL (arXiv 2111.12084).

    Examples:
        >>> memory = ClusterMemory(momentum=0.1, temperature=0.05)
        >>> memory.reset(centroids, labels)          # (C, D) and (N,)
        >>> loss = memory(embeddings, memory.labels[sample_idx])
        >>> loss.backward()                          # memory.centroids have moved

        In a config:

        .. code:: python

            head=dict(
                type='ClusterContrastHead',
                memory=dict(type='ClusterMemory', momentum=0.1, temperature=0.05))
    """

    def __init__(
        self,
        momentum: float = 0.1,
        temperature: float = 0.05,
        update: str = 'momentum',
        init: str = 'centroid',
    ) -> None:
        check_arguments(momentum, temperature, update)
        if init not in INITIALIZATIONS:
            raise ValueError(f'init must be in {INITIALIZATIONS}, not {init!r}')
        super().__init__(centroids=VectorBank(momentum, update))
        self.momentum = momentum
        self.temperature = temperature
        self.update = update
        self.init = init

    def fill(
        self, features: Tensor, labels: Tensor, cam_ids: Tensor, device: torch.device
    ) -> None:
        """Fill the memory with a vector per cluster, see :meth:`BaseMemory.fill`."""
        if self.init == 'centroid':
            vectors = torch.from_numpy(cluster_centroids(features, labels))
        else:
            vectors = features[draw_samples(labels)]
        self.reset(vectors.to(device), labels)

    def reset(self, centroids: Tensor, labels: Tensor | None = None) -> None:
        """Set the centroids of a clustering.

        Args:
            centroids (Tensor): L2-normalised, shape (C, D), float, on the device of the
                embeddings to come.
            labels (Tensor, optional): Cluster of every training image, −1 for none;
                shape (N,), int64. Needed where images are known by their index only, as
                in :class:`ClusterContrastHead`. Defaults to None.

        Raises:
            ValueError: If there is no centroid, or a label has none.
        """
        check_vectors('centroid', centroids, labels)
        self.banks['centroids'].reset(centroids)
        self.labels = self.labels[:0] if labels is None else labels.cpu()

    def state(self) -> dict[str, Tensor]:
        """Return the arguments of :meth:`reset`."""
        return {'centroids': self.centroids, 'labels': self.labels}

    def contrast(self, queries: Tensor, slots: Tensor) -> Tensor | dict[str, Tensor]:
        """Compute the mean cross entropy, see :meth:`BaseMemory.contrast`."""
        similarities = self.similarities('centroids', queries, slots)
        target = slots.to(queries.device, non_blocking=True)
        return F.cross_entropy(similarities / self.temperature, target)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'momentum={self.momentum}, temperature={self.temperature}, '
            f'update={self.update!r}, init={self.init!r}'
        )


def draw_samples(labels: Tensor) -> Tensor:
    """Draw one image of each cluster, the same for the same labels.

    Args:
        labels (Tensor): 0…C−1 without a gap, −1 for none; shape (N,), int64.

    Returns:
        Tensor: Indices of images, shape (C,), int64.
    """
    clustered = torch.nonzero(labels >= 0).squeeze(1).numpy()
    own = labels.numpy()[clustered]
    # The sizes of the clusters are the seed: they differ from epoch to epoch.
    rng = np.random.default_rng(np.bincount(own))
    shuffled = rng.permutation(len(clustered))
    first = np.unique(own[shuffled], return_index=True)[1]
    return torch.from_numpy(clustered[shuffled[first]])
