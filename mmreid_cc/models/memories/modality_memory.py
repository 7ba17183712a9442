"""A memory of the clusters of each of two modalities."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.clustering import cluster_centroids, infrared_images
from mmreid_cc.registry import MODELS

from .base_memory import BaseMemory
from .camera_proxy_memory import split_by_camera
from .checks import check_arguments
from .vector_bank import VectorBank


@MODELS.register_module()
class ModalityMemory(BaseMemory):
    r"""Contrast visible queries with visible clusters, and infrared with infrared ones.

    Visible and infrared images are told apart by their cameras. Each modality has its
    own vectors: the centroids of its clusters, which their queries move. With :math:`m`
    the vectors of the query's modality and :math:`m_+` that of its cluster, the loss of
    visible queries is

    :math:`L_V = -\frac{1}{N} \sum_q \log \frac{\exp(q \cdot m_+ / \tau)}
    {\sum_m \exp(q \cdot m / \tau)}`,

    that of infrared ones :math:`L_I` is the same, and their sum is minimised. N is half
    the batch: with as many queries of both modalities, both losses are means, as in the
    paper, and a batch or the share of a process may lack a modality, whose loss is then
    0. If a cluster holds images of both modalities, it is one cluster of each.

    Args:
        infrared_cameras (Sequence[int]): The numbers of the infrared cameras; all other
            cameras, and unknown ones, are visible ones.
        momentum (float): Weight of the *old* vector, in [0, 1]. Defaults to 0.1.
        temperature (float): τ, positive. Defaults to 0.05.
        update (str): ``'momentum'`` or ``'hard'``, see :class:`ClusterMemory`.
            Defaults to ``'momentum'``.

    Raises:
        ValueError: If an argument is out of range; or, when the memory is filled, if a
            modality has no image.

    References:
        ADCA: Yang et al., *Augmented Dual-Contrastive Aggregation Learning for
        Unsupervised Visible-Infrared Person Re-Identification* (ACM MM 2022), its
        dual-contrastive learning.

    Examples:
        .. code:: python

            memory = dict(type='ModalityMemory', infrared_cameras=(3, 6))
            model = dict(head=dict(memory=memory))
            train_dataloader = dict(
                sampler=dict(type='ModalityBalancedSampler', infrared_cameras=(3, 6)))
    """

    def __init__(
        self,
        infrared_cameras: Sequence[int],
        momentum: float = 0.1,
        temperature: float = 0.05,
        update: str = 'momentum',
    ) -> None:
        check_arguments(momentum, temperature, update)
        super().__init__(clusters=VectorBank(momentum, update))
        self.infrared_cameras = tuple(infrared_cameras)
        self.momentum = momentum
        self.temperature = temperature
        self.update = update
        self.infrared = torch.empty(0, dtype=torch.bool)

    def fill(
        self, features: Tensor, labels: Tensor, cam_ids: Tensor, device: torch.device
    ) -> None:
        """Fill the memory from a clustering, see :meth:`BaseMemory.fill`."""
        infrared = torch.from_numpy(infrared_images(cam_ids, self.infrared_cameras))
        slots, _, _ = split_by_camera(labels, infrared.long())
        clusters = torch.from_numpy(cluster_centroids(features, slots))
        associated = self.associate(features, slots, infrared, clusters)
        associated = {name: tensor.to(device) for name, tensor in associated.items()}
        self.reset(labels=labels, infrared=infrared, **associated)

    def associate(
        self, features: Tensor, slots: Tensor, infrared: Tensor, clusters: Tensor
    ) -> dict[str, Tensor]:
        """Relate the clusters of both modalities. This class leaves them as they are.

        Args:
            features (Tensor): Features of all training images, shape (N, D), on the
                CPU.
            slots (Tensor): The cluster of a modality that each image is in, −1 for
                none; shape (N,), int64.
            infrared (Tensor): Whether an image is infrared, shape (N,), bool.
            clusters (Tensor): The centroids of these clusters, shape (S, D).

        Returns:
            dict[str, Tensor]: ``clusters``, and further arguments of :meth:`reset`.
        """
        return {'clusters': clusters}

    def reset(self, clusters: Tensor, labels: Tensor, infrared: Tensor) -> None:
        """Set the vectors of a clustering.

        Args:
            clusters (Tensor): L2-normalised, shape (S, D), float, ordered by label, the
                visible part of a cluster before its infrared one; on the device of the
                embeddings to come.
            labels (Tensor): Cluster of every training image, −1 for none; shape (N,),
                int64.
            infrared (Tensor): Whether it is infrared, shape (N,), bool.

        Raises:
            ValueError: If there is no vector, or not one for each cluster of a
                modality.
        """
        labels, infrared = labels.cpu(), infrared.cpu()
        slots, _, of_infrared = split_by_camera(labels, infrared.long())
        if len(clusters) != len(of_infrared) or not len(clusters):
            raise ValueError(
                f'{len(clusters)} vectors do not fit {len(of_infrared)} clusters of a '
                'modality.'
            )
        self.banks['clusters'].reset(clusters)
        self.labels, self.infrared, self.slots = labels, infrared, slots
        self.of_infrared = of_infrared.bool().to(clusters.device)

    def state(self) -> dict[str, Tensor]:
        """Return the arguments of :meth:`reset`."""
        return {
            'clusters': self.banks['clusters'].vectors,
            'labels': self.labels,
            'infrared': self.infrared,
        }

    def slots_of(self, indices: Tensor) -> Tensor:
        """Look up the vectors of training images, see :meth:`BaseMemory.slots_of`."""
        super().slots_of(indices)
        return self.slots[indices]

    def contrast(self, queries: Tensor, slots: Tensor) -> dict[str, Tensor]:
        """Compute the losses of both modalities, see :meth:`BaseMemory.contrast`."""
        logits = self.similarities('clusters', queries, slots) / self.temperature
        own = slots.to(queries.device, non_blocking=True)
        return self.losses(logits, own, self.of_infrared[own])

    def losses(
        self, logits: Tensor, own: Tensor, infrared: Tensor
    ) -> dict[str, Tensor]:
        """Compute the losses of both modalities.

        Args:
            logits (Tensor): Similarities to all vectors over τ, shape (B, S).
            own (Tensor): The vectors of the queries, shape (B,), int64.
            infrared (Tensor): Whether a query is infrared, shape (B,), bool.

        Returns:
            dict[str, Tensor]: Scalars by name.
        """
        other = infrared[:, None] != self.of_infrared
        losses = 2 * cross_entropy_without(other, logits, own)
        return {
            'loss_visible': losses.masked_fill(infrared, 0).mean(),
            'loss_infrared': losses.masked_fill(~infrared, 0).mean(),
        }

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'infrared_cameras={self.infrared_cameras}, momentum={self.momentum}, '
            f'temperature={self.temperature}, update={self.update!r}'
        )


def cross_entropy_without(excluded: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
    """Compute the cross entropy of each query over some of the classes.

    Args:
        excluded (Tensor): Whether a class is left out, shape (B, S), bool.
        logits (Tensor): Shape (B, S).
        targets (Tensor): Shape (B,), int64.

    Returns:
        Tensor: Shape (B,). Where no class is left, the value is finite but has no
        meaning.
    """
    # Finite, for a sum over nothing but −inf has no gradient; its exp is 0, too.
    nothing = torch.finfo(logits.dtype).min / 2
    kept = logits.masked_fill(excluded, nothing)
    return F.cross_entropy(kept, targets, reduction='none')
