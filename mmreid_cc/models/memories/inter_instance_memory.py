"""Camera proxies, and a contrast of the images of a batch with each other (ICE)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.registry import MODELS

from ..losses import gather_with_gradient
from .camera_proxy_memory import CameraProxyMemory
from .taught_memory import TaughtMemory


@MODELS.register_module()
class InterInstanceMemory(TaughtMemory, CameraProxyMemory):
    r"""Contrast queries with proxies, and with a teacher's embeddings of the batch.

    The loss is that of :class:`CameraProxyMemory` for queries q of a first view, and
    two parts that compare the images of a batch. There, m is the teacher's embedding of
    a second view, and w its embedding of a third view, which is not augmented.

    - **hard instance contrast**: the positive k is the image of the query's cluster
      that is least similar to it, and the images of other clusters are the negatives:
      :math:`-\log \frac{\exp(q_i \cdot m_k / \tau_h)}
      {\exp(q_i \cdot m_k / \tau_h) + \sum_{j:\,y_j \ne y_i} \exp(q_i \cdot m_j /
      \tau_h)}`;
    - **soft consistency**: the similarities to all images of the batch, as a
      distribution :math:`Q_i = \mathrm{softmax}_j(q_i \cdot m_j / \tau_s)`, follow
      those of the plain images, :math:`P_i = \mathrm{softmax}_j(w_i \cdot w_j /
      \tau_s)`: :math:`D_\mathrm{KL}(P_i \,\|\, Q_i)`.

    Both are averaged over the batch. The network that learns must be a
    :class:`TaughtClassifier`, with three views. In a distributed run, the batches of
    all processes are compared. Accumulated batches are compared separately.

    Args:
        hard_weight (float): Weight of the hard instance contrast, at least 0. Defaults
            to 1.
        hard_temperature (float): :math:`\tau_h`, positive. Defaults to 0.1.
        soft_weight (float): Weight of the soft consistency, at least 0. Defaults to 10.
        soft_temperature (float): :math:`\tau_s`, positive. Defaults to 0.4.
        **kwargs: Further arguments of :class:`CameraProxyMemory`.

    Raises:
        ValueError: If an argument is out of range, or there are no three views.

    References:
        ICE: Chen et al., *Inter-instance Contrastive Encoding for Unsupervised Person
        Re-identification* (ICCV 2021, arXiv 2103.16364). Its proxies are those of
        ``intra_weight=0, inter_weight=0.5, cluster_weight=1, positives='separate',
        cluster_temperature=0.5``.

    Examples:
        .. code:: python

            model = dict(
                type='TaughtClassifier',
                head=dict(memory=dict(_delete_=True, type='InterInstanceMemory')))
            custom_hooks = [dict(type='TeacherHook')]
            train_dataloader = dict(collate_fn=dict(type='collate_views'), ...)
    """

    def __init__(
        self,
        hard_weight: float = 1.0,
        hard_temperature: float = 0.1,
        soft_weight: float = 10.0,
        soft_temperature: float = 0.4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if min(hard_weight, soft_weight) < 0:
            raise ValueError(
                'hard_weight and soft_weight must not be negative, got '
                f'{hard_weight} and {soft_weight}'
            )
        if min(hard_temperature, soft_temperature) <= 0:
            raise ValueError(
                'hard_temperature and soft_temperature must be positive, got '
                f'{hard_temperature} and {soft_temperature}'
            )
        self.hard_weight, self.hard_temperature = hard_weight, hard_temperature
        self.soft_weight, self.soft_temperature = soft_weight, soft_temperature

    def contrast_taught(
        self, queries: Tensor, slots: Tensor, taught: Tensor
    ) -> dict[str, Tensor]:
        """Compute all parts, see :meth:`TaughtMemory.contrast_taught`."""
        if len(taught) != 2:
            raise ValueError(
                'InterInstanceMemory compares three views of an image, two of '
                f'them by the teacher, which gave {len(taught)}. Make the views by '
                '`MultiView` in the pipeline of `train_dataloader.dataset`, and set '
                '`train_dataloader.collate_fn` to `dict(type="collate_views")`.'
            )
        labels = self.proxy_labels[slots.to(queries.device, non_blocking=True)]
        same = labels[:, None] == gather_with_gradient(labels)
        augmented, plain = (gather_with_gradient(view) for view in taught)
        similarities = queries @ augmented.T
        expected = taught[1] @ plain.T
        return {
            'loss_proxy': CameraProxyMemory.contrast(self, queries, slots),
            'loss_hard': self.hard_weight
            * hard_instance_contrast(similarities / self.hard_temperature, same),
            'loss_soft': self.soft_weight
            * F.kl_div(
                (similarities / self.soft_temperature).log_softmax(dim=1),
                (expected / self.soft_temperature).softmax(dim=1),
                reduction='batchmean',
            ),
        }

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'{super().extra_repr()}, hard_weight={self.hard_weight}, '
            f'hard_temperature={self.hard_temperature}, '
            f'soft_weight={self.soft_weight}, soft_temperature={self.soft_temperature}'
        )


def hard_instance_contrast(logits: Tensor, same: Tensor) -> Tensor:
    """Contrast the least similar image of a query's cluster with other clusters.

    Args:
        logits (Tensor): Similarities over the temperature, shape (B, M), float.
        same (Tensor): Whether a pair is of one cluster, shape (B, M), bool; at least
            once in each row.

    Returns:
        Tensor: The mean over the rows, a scalar.

    Example:
        >>> same = torch.tensor([[True, True, False]])
        >>> hard_instance_contrast(torch.tensor([[2.0, 1.0, 1.0]]), same)
        tensor(0.6931)
    """
    positive = logits.masked_fill(~same, torch.inf).amin(dim=1, keepdim=True)
    negatives = logits.masked_fill(same, -torch.inf)
    total = torch.cat([positive, negatives], dim=1).logsumexp(dim=1, keepdim=True)
    return (total - positive).mean()
