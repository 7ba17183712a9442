"""A memory of two networks that teach each other (MMT)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.clustering import cluster_centroids
from mmreid_cc.registry import MODELS

from ..losses import gather_with_gradient, soft_triplet_loss
from .checks import check_arguments, check_shares, check_vectors
from .taught_memory import TaughtMemory
from .vector_bank import VectorBank

NAMES = 'first', 'second'


@MODELS.register_module()
class MutualMemory(TaughtMemory):
    r"""Two networks learn from clusters, and each from the average of the other.

    The first half of an embedding is that of the first network, the second half that of
    the second (:class:`Twins`). Each has centroids of its own, which its queries move,
    as in :class:`ClusterMemory`, and with them a distribution over the clusters,
    :math:`p(q) = \mathrm{softmax}(q C^T / \tau)`. Let t be the embedding of the image
    by the average of the *other* network. The loss is then

    .. math::

        -(1 - \lambda) \log p_y(q) - \lambda \sum_k p_k(t) \log p_k(q)
        + (1 - \lambda_t)\,L_\mathrm{tri}(q) + \lambda_t\,L_\mathrm{stri}(q, t),

    where the triplets of the batch have a hard target in the first term, and a soft one
    from that average in the second, see :func:`soft_triplet_loss`. The losses of both
    networks are added. The triplets come from the batches of all processes; accumulated
    batches have separate triplets.

    MMT contrasts with the weights of a linear classifier, which begin as the centroids
    and are trained; here it is the memory. Its triplets are of features before the BN
    neck, ours of normalised embeddings. It tests one of the networks, we both together.

    Args:
        soft_weight (float): λ, in [0, 1]. Defaults to 0.5.
        soft_triplet_weight (float): :math:`\lambda_t`, in [0, 1]. Defaults to 0.8.
        momentum (float): Weight of the *old* centroid, in [0, 1]. Defaults to 0.1.
        temperature (float): τ, positive. Defaults to 0.05.

    Raises:
        ValueError: If an argument is out of range, or embeddings cannot be halved.

    References:
        Ge et al., *Mutual Mean-Teaching: Pseudo Label Refinery for Unsupervised Domain
        Adaptation on Person Re-identification* (ICLR 2020, arXiv 2001.01526).

    Examples:
        .. code:: python

            head=dict(in_channels=4096, memory=dict(type='MutualMemory'))
    """

    def __init__(
        self,
        soft_weight: float = 0.5,
        soft_triplet_weight: float = 0.8,
        momentum: float = 0.1,
        temperature: float = 0.05,
    ) -> None:
        check_arguments(momentum, temperature)
        check_shares(soft_weight=soft_weight, soft_triplet_weight=soft_triplet_weight)
        super().__init__(**{name: VectorBank(momentum) for name in NAMES})
        self.soft_weight = soft_weight
        self.soft_triplet_weight = soft_triplet_weight
        self.momentum = momentum
        self.temperature = temperature

    def fill(
        self, features: Tensor, labels: Tensor, cam_ids: Tensor, device: torch.device
    ) -> None:
        """Fill the memory from a clustering, see :meth:`BaseMemory.fill`."""
        first, second = (
            torch.from_numpy(cluster_centroids(half, labels)).to(device)
            for half in halves(features)
        )
        self.reset(first, second, labels)

    def reset(
        self, first: Tensor, second: Tensor, labels: Tensor | None = None
    ) -> None:
        """Set the centroids of both networks.

        Args:
            first (Tensor): L2-normalised, shape (C, D / 2), float, on the device of the
                embeddings to come.
            second (Tensor): The same, of the second network.
            labels (Tensor, optional): Cluster of every training image, −1 for none;
                shape (N,), int64. Defaults to None.

        Raises:
            ValueError: If there is no centroid, or a label has none.
        """
        for name, centroids in zip(NAMES, (first, second), strict=True):
            check_vectors('centroid', centroids, labels)
            self.banks[name].reset(centroids)
        self.labels = self.labels[:0] if labels is None else labels.cpu()

    def state(self) -> dict[str, Tensor]:
        """Return the arguments of :meth:`reset`."""
        vectors = {name: bank.vectors for name, bank in self.banks.items()}
        return {**vectors, 'labels': self.labels}

    def contrast_taught(
        self, queries: Tensor, slots: Tensor, taught: Tensor
    ) -> dict[str, Tensor]:
        """Compute all parts, see :meth:`TaughtMemory.contrast_taught`."""
        labels = slots.to(queries.device, non_blocking=True)
        all_labels = gather_with_gradient(labels)
        own, averages = halves(queries), halves(taught[0])
        logits = [
            self.similarities(name, half, slots) / self.temperature
            for name, half in zip(NAMES, own, strict=True)
        ]
        soft_labels = [
            (half @ self.banks[name].vectors.T / self.temperature).softmax(dim=1)
            for name, half in zip(NAMES, averages, strict=True)
        ]
        parts: dict[str, list[Tensor]] = {name: [] for name in self._weights()}
        for mine, other in ((0, 1), (1, 0)):
            everyone = gather_with_gradient(own[mine])
            teacher = averages[other], gather_with_gradient(averages[other])
            triplets = own[mine], labels, everyone, all_labels
            parts['hard'].append(F.cross_entropy(logits[mine], labels))
            parts['soft'].append(F.cross_entropy(logits[mine], soft_labels[other]))
            parts['triplet'].append(soft_triplet_loss(*triplets))
            parts['soft_triplet'].append(soft_triplet_loss(*triplets, *teacher))
        return {
            f'loss_{name}': weight * torch.stack(parts[name]).sum()
            for name, weight in self._weights().items()
        }

    def _weights(self) -> dict[str, float]:
        return {
            'hard': 1 - self.soft_weight,
            'soft': self.soft_weight,
            'triplet': 1 - self.soft_triplet_weight,
            'soft_triplet': self.soft_triplet_weight,
        }

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'soft_weight={self.soft_weight}, '
            f'soft_triplet_weight={self.soft_triplet_weight}, '
            f'momentum={self.momentum}, temperature={self.temperature}'
        )


def halves(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return the vectors of both networks.

    Args:
        vectors (Tensor): Shape (B, D).

    Returns:
        tuple[Tensor, Tensor]: L2-normalised, each of shape (B, D / 2).

    Raises:
        ValueError: If D is odd.
    """
    if vectors.shape[1] % 2:
        raise ValueError(
            f'Embeddings of {vectors.shape[1]} numbers cannot be halved: '
            'MutualMemory needs `model.backbone` to be of the type "Twins".'
        )
    first, second = vectors.chunk(2, dim=1)
    return F.normalize(first), F.normalize(second)
