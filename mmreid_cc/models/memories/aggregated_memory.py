"""Memories of two modalities that are aggregated by counts of similar images (ADCA)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.clustering import match_by_count
from mmreid_cc.registry import MODELS

from .checks import check_shares
from .modality_memory import ModalityMemory


@MODELS.register_module()
class AggregatedMemory(ModalityMemory):
    r"""Contrast each modality with its clusters, some of which begin as infrared ones.

    After a clustering, visible and infrared clusters are matched by the number of pairs
    of their images that are similar, see :func:`mmreid_cc.clustering.match_by_count`.
    The vector v of a matched visible cluster is replaced by that of its infrared match
    i, except for a share λ:

    :math:`v \leftarrow \lambda v + (1 - \lambda) i, \quad v \leftarrow v / |v|`.

    The loss then pulls visible queries of that cluster towards infrared images, which
    show the same person if the match is right. The losses are those of
    :class:`ModalityMemory`.

    Args:
        infrared_cameras (Sequence[int]): The numbers of the infrared cameras.
        threshold (float): The least cosine similarity of a pair of images that counts.
            Defaults to 0.5.
        weight (float): λ, the weight of the visible vector, in [0, 1]. Defaults to 0.1.
        start (float): Share of the training before which clusters are not matched, in
            [0, 1]. Defaults to 0.5: the two stages of the paper are equally long.
        **kwargs: Further arguments of :class:`ModalityMemory`.

    Raises:
        ValueError: If an argument is out of range.

    References:
        ADCA: Yang et al., *Augmented Dual-Contrastive Aggregation Learning for
        Unsupervised Visible-Infrared Person Re-Identification* (ACM MM 2022), its
        cross-modality memory aggregation; threshold and weight are those of the public
        code, which does not normalise the aggregated vectors.

    Examples:
        .. code:: python

            memory = dict(
                _delete_=True, type='AggregatedMemory', infrared_cameras=(3, 6))
            model = dict(head=dict(memory=memory))
    """

    def __init__(
        self,
        infrared_cameras: Sequence[int],
        threshold: float = 0.5,
        weight: float = 0.1,
        start: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(infrared_cameras, **kwargs)
        check_shares(weight=weight, start=start)
        self.threshold = threshold
        self.weight = weight
        self.start = start

    def associate(
        self, features: Tensor, slots: Tensor, infrared: Tensor, clusters: Tensor
    ) -> dict[str, Tensor]:
        """Aggregate matched clusters, see :meth:`ModalityMemory.associate`."""
        if self.progress < self.start:
            return {'clusters': clusters}
        visible = ~infrared
        pairs = match_by_count(
            features[visible],
            slots[visible],
            features[infrared],
            slots[infrared],
            self.threshold,
        )
        ours, theirs = torch.from_numpy(np.ascontiguousarray(pairs.T))
        mixed = self.weight * clusters[ours] + (1 - self.weight) * clusters[theirs]
        clusters = clusters.clone()
        clusters[ours] = F.normalize(mixed)
        return {'clusters': clusters}

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'{super().extra_repr()}, threshold={self.threshold}, '
            f'weight={self.weight}, start={self.start}'
        )
