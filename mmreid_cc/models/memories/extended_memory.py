"""Cluster Contrast with samples that lie between clusters (ISE)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.registry import MODELS

from ..losses import gather_with_gradient
from .cluster_memory import ClusterMemory


@MODELS.register_module()
class ExtendedMemory(ClusterMemory):
    r"""Contrast queries, and support samples made of them, with the clusters.

    A query q of the cluster with the centroid :math:`c_y` gives K support samples. Each
    is the query, moved towards one of the K other clusters that are most similar to it:

    .. math::

        s_k = \frac{q + \lambda (c_k - c_y)}{|q + \lambda (c_k - c_y)|}, \quad
        \lambda = \frac{\lambda_0}{4} \log\left(1 + (e - 1) \frac{t}{T}\right)

    where t / T is the share of the training that is done (:attr:`BaseMemory.progress`).
    At the start of the training, the support samples equal the queries. Queries and
    support samples are contrasted with all centroids, and move them, as in
    :class:`ClusterMemory`.

    The *label-preserving* loss keeps support samples with the queries they are made of.
    For every query, the least similar support sample with its label, :math:`s^+`, is
    contrasted with the most similar one of every other label l in the batch,
    :math:`s_l^-`:

    .. math::

        -\log \frac{\exp(q \cdot s^+ / \tau')}
        {\exp(q \cdot s^+ / \tau') + \sum_l \exp(q \cdot s_l^- / \tau')}.

    In a distributed run, the support samples of all processes are compared. Accumulated
    batches are compared separately. With fewer than K + 1 clusters there are fewer
    support samples, and with one cluster there are none.

    Args:
        num_supports (int): K, at least 1. Defaults to 1.
        degree (float): :math:`\lambda_0`, at least 0. Defaults to 1.
        preserving_weight (float): Weight of the label-preserving loss, at least 0.
            Defaults to 0.1.
        preserving_temperature (float): :math:`\tau'`, positive. Defaults to 0.6.
        momentum (float): Weight of the *old* centroid. Defaults to 0.2.
        temperature (float): Temperature of the contrast with centroids. Defaults to
            0.05.
        update (str): See :class:`ClusterMemory`. Defaults to ``'hard'``.

    Raises:
        ValueError: If an argument is out of range.

    References:
        ISE: Zhang et al., *Implicit Sample Extension for Unsupervised Person
        Re-Identification* (CVPR 2022, arXiv 2204.06892): progressive linear
        interpolation and label-preserving loss, with the factors and defaults of its
        authors' public code.

    Examples:
        .. code:: python

            model = dict(head=dict(memory=dict(_delete_=True, type='ExtendedMemory')))
    """

    def __init__(
        self,
        num_supports: int = 1,
        degree: float = 1.0,
        preserving_weight: float = 0.1,
        preserving_temperature: float = 0.6,
        momentum: float = 0.2,
        temperature: float = 0.05,
        update: str = 'hard',
    ) -> None:
        super().__init__(momentum, temperature, update)
        if num_supports < 1:
            raise ValueError(f'num_supports must be at least 1, not {num_supports}')
        if min(degree, preserving_weight) < 0:
            raise ValueError(
                'degree and preserving_weight must not be negative, got '
                f'{degree} and {preserving_weight}'
            )
        if preserving_temperature <= 0:
            raise ValueError(
                f'preserving_temperature must be positive, not {preserving_temperature}'
            )
        self.num_supports = num_supports
        self.degree = degree
        self.preserving_weight = preserving_weight
        self.preserving_temperature = preserving_temperature

    def contrast(self, queries: Tensor, slots: Tensor) -> dict[str, Tensor]:
        """Compute both parts by name, see :meth:`BaseMemory.contrast`."""
        labels = slots.to(queries.device, non_blocking=True)
        supports = self.support_samples(queries, labels)
        # Image by image, so that the shares of processes are those of one.
        extended = torch.cat([queries[:, None], supports], dim=1)
        repeats = extended.shape[1]
        similarities = self.banks['centroids'].similarities(
            extended.flatten(0, 1),
            slots.repeat_interleave(repeats),
            self.batches_per_update,
            None
            if self.step_slots is None
            else self.step_slots.repeat_interleave(repeats),
        )
        target = labels.repeat_interleave(repeats)
        losses = {
            'loss_contrast': F.cross_entropy(similarities / self.temperature, target)
        }
        if supports.shape[1]:
            of_supports = labels.repeat_interleave(supports.shape[1])
            logits = queries @ gather_with_gradient(supports.flatten(0, 1)).T
            preserving = label_preserving_loss(
                logits / self.preserving_temperature,
                labels,
                gather_with_gradient(of_supports),
            )
            losses['loss_preserving'] = self.preserving_weight * preserving
        return losses

    def support_samples(self, queries: Tensor, labels: Tensor) -> Tensor:
        """Move queries towards the nearest other clusters.

        Args:
            queries (Tensor): L2-normalised, shape (B, D).
            labels (Tensor): Their clusters, shape (B,), int64, on the same device.

        Returns:
            Tensor: L2-normalised, shape (B, K, D), or fewer than K if there are fewer
            other clusters.
        """
        centroids = self.centroids
        own = F.one_hot(labels, len(centroids)).bool()
        similarities = (queries.detach() @ centroids.T).masked_fill(own, -torch.inf)
        count = min(self.num_supports, len(centroids) - 1)
        nearest = similarities.topk(count, dim=1).indices
        share = math.log(1 + (math.e - 1) * self.progress) * self.degree / 4
        direction = centroids[nearest] - centroids[labels][:, None]
        return F.normalize(queries[:, None] + share * direction, dim=2)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'{super().extra_repr()}, num_supports={self.num_supports}, '
            f'degree={self.degree}, preserving_weight={self.preserving_weight}, '
            f'preserving_temperature={self.preserving_temperature}'
        )


def label_preserving_loss(logits: Tensor, labels: Tensor, others: Tensor) -> Tensor:
    """Contrast the least similar sample of a query's label with the nearest others.

    Args:
        logits (Tensor): Similarities over the temperature, shape (B, M), float.
        labels (Tensor): Labels of the rows, shape (B,), int64; each among ``others``.
        others (Tensor): Labels of the columns, shape (M,), int64.

    Returns:
        Tensor: The mean over the rows, a scalar.

    Example:
        >>> label_preserving_loss(torch.zeros(1, 3), torch.tensor([0]),
        ...                       torch.tensor([0, 1, 1]))
        tensor(0.6931)
    """
    same = labels[:, None] == others
    positive = logits.masked_fill(~same, torch.inf).amin(dim=1, keepdim=True)
    numbers, groups = others.unique(return_inverse=True)
    hardest = logits.new_full((len(logits), len(numbers)), -torch.inf)
    hardest = hardest.scatter_reduce(1, groups.expand_as(logits), logits, 'amax')
    negatives = hardest.masked_fill(labels[:, None] == numbers, -torch.inf)
    total = torch.cat([positive, negatives], dim=1).logsumexp(dim=1, keepdim=True)
    return (total - positive).mean()
