"""A memory that adds the predictions of a teacher to the hard labels."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.registry import MODELS

from .checks import check_shares
from .cluster_memory import ClusterMemory
from .taught_memory import TaughtMemory


@MODELS.register_module()
class MeanTeacherMemory(TaughtMemory, ClusterMemory):
    r"""Cluster Contrast with soft labels of a mean teacher.

    A query q is contrasted with the centroids C in two ways, with weights 1 − λ and λ:
    with its cluster, as in :class:`ClusterMemory`, and with the distribution over all
    clusters that the teacher's embedding t of the same image gives:

    .. math::

        -\sum_k p_k(t) \log p_k(q), \quad p(x) = \mathrm{softmax}(x C^T / \tau).

    Only the first part pulls an image towards a wrong cluster. The network that learns
    must be a :class:`TaughtClassifier`.

    Args:
        soft_weight (float): λ, in [0, 1]. Defaults to 0.5.
        **kwargs: Further arguments of :class:`ClusterMemory`.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Tarvainen and Valpola, *Mean teachers are better role models* (NeurIPS 2017).
        The soft cross entropy in addition to the hard one, and λ, are from MMT (Ge et
        al., ICLR 2020), here with one network and Cluster Contrast's memory in place of
        a classifier.

    Examples:
        .. code:: python

            model = dict(
                type='TaughtClassifier',
                head=dict(memory=dict(type='MeanTeacherMemory')))
            custom_hooks = [dict(type='TeacherHook')]
    """

    def __init__(self, soft_weight: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_shares(soft_weight=soft_weight)
        self.soft_weight = soft_weight

    def contrast_taught(
        self, queries: Tensor, slots: Tensor, taught: Tensor
    ) -> dict[str, Tensor]:
        """Compute both parts, see :meth:`TaughtMemory.contrast_taught`."""
        logits = self.similarities('centroids', queries, slots) / self.temperature
        hard = F.cross_entropy(logits, slots.to(queries.device, non_blocking=True))
        soft_labels = (taught[0] @ self.centroids.T / self.temperature).softmax(dim=1)
        soft = F.cross_entropy(logits, soft_labels)
        return {
            'loss_hard': (1 - self.soft_weight) * hard,
            'loss_soft': self.soft_weight * soft,
        }

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f'{super().extra_repr()}, soft_weight={self.soft_weight}'
