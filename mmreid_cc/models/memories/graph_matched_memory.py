"""Memories of two modalities, matched as a graph, with cross contrast (PGM)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmreid_cc.clustering import match_progressively
from mmreid_cc.registry import MODELS

from .checks import check_shares
from .modality_memory import ModalityMemory, cross_entropy_without


@MODELS.register_module()
class GraphMatchedMemory(ModalityMemory):
    r"""Contrast each modality with its clusters, and in turns with those of the other.

    After a clustering every cluster is matched with one of the other modality, at the
    least total cost, see :func:`mmreid_cc.clustering.match_progressively`. Beside the
    losses of :class:`ModalityMemory`, one modality is also contrasted with the vectors
    m of the other, where :math:`m_*` is the match of the query's cluster:

    :math:`L_\mathrm{cross} = -\frac{1}{N} \sum_q \log \frac{\exp(q \cdot m_* / \tau)}
    {\sum_m \exp(q \cdot m / \tau)}`,

    in even epochs visible queries with infrared vectors, in odd ones infrared queries
    with visible vectors (epochs are counted from 0). This treats both directions of the
    match equally. The sum :math:`L_V + L_I + \lambda L_\mathrm{cross}` is minimised.
    Queries move the vectors of their own clusters only.

    Args:
        infrared_cameras (Sequence[int]): The numbers of the infrared cameras.
        cross_weight (float): λ, from 0 on. Defaults to 0.25.
        start (float): Share of the training before which there is no cross contrast, in
            [0, 1]. Defaults to 0.5: two stages that are equally long.
        momentum (float): Weight of the *old* vector, in [0, 1]. Defaults to 0.2.
        temperature (float): τ, positive. Defaults to 0.05.
        update (str): ``'momentum'`` or ``'hard'``, see :class:`ClusterMemory`.
            Defaults to ``'hard'``.

    Raises:
        ValueError: If an argument is out of range.

    References:
        PGM: Wu and Ye, *Unsupervised Visible-Infrared Person Re-Identification via
        Progressive Graph Matching and Alternate Learning* (CVPR 2023): progressive
        graph matching, alternate cross contrastive learning. The numbers are those of
        its public code, where the cross contrast also moves the vectors that it
        compares with, the first stage has the other update, and nothing is matched in
        epochs with more infrared than visible clusters.

    Examples:
        .. code:: python

            memory = dict(
                _delete_=True, type='GraphMatchedMemory', infrared_cameras=(3, 6))
            model = dict(head=dict(memory=memory))
    """

    def __init__(
        self,
        infrared_cameras: Sequence[int],
        cross_weight: float = 0.25,
        start: float = 0.5,
        momentum: float = 0.2,
        temperature: float = 0.05,
        update: str = 'hard',
    ) -> None:
        super().__init__(infrared_cameras, momentum, temperature, update)
        check_shares(start=start)
        if cross_weight < 0:
            raise ValueError(f'cross_weight must not be negative, got {cross_weight}')
        self.cross_weight = cross_weight
        self.start = start

    def associate(
        self, features: Tensor, slots: Tensor, infrared: Tensor, clusters: Tensor
    ) -> dict[str, Tensor]:
        """Match the clusters, see :meth:`ModalityMemory.associate`."""
        infrared_slots = slots[infrared & (slots >= 0)].unique()
        visible_slots = slots[~infrared & (slots >= 0)].unique()
        matches = torch.full((len(clusters),), -1)
        if len(infrared_slots) and len(visible_slots) and self.progress >= self.start:
            found = match_progressively(
                clusters[visible_slots] @ clusters[infrared_slots].T
            )
            to_infrared, to_visible = map(torch.from_numpy, found)
            matches[visible_slots] = infrared_slots[to_infrared]
            matches[infrared_slots] = visible_slots[to_visible]
        return {'clusters': clusters, 'matches': matches}

    def reset(
        self,
        clusters: Tensor,
        labels: Tensor,
        infrared: Tensor,
        matches: Tensor | None = None,
    ) -> None:
        """Set the vectors of a clustering, see :meth:`ModalityMemory.reset`.

        Args:
            clusters (Tensor): As in :meth:`ModalityMemory.reset`.
            labels (Tensor): As in :meth:`ModalityMemory.reset`.
            infrared (Tensor): As in :meth:`ModalityMemory.reset`.
            matches (Tensor, optional): The vector of the other modality that each
                vector is matched with, −1 for none; shape (S,), int64. Defaults to
                None: no vector has a match.

        Raises:
            ValueError: As in :meth:`ModalityMemory.reset`, or if the numbers of matches
                and vectors differ.
        """
        if matches is None:
            matches = torch.full((len(clusters),), -1)
        if len(matches) != len(clusters):
            raise ValueError(
                f'{len(matches)} matches do not fit {len(clusters)} vectors.'
            )
        super().reset(clusters, labels, infrared)
        self.matches = matches.to(clusters.device)

    def state(self) -> dict[str, Tensor]:
        """Return the arguments of :meth:`reset`."""
        return {**super().state(), 'matches': self.matches}

    def losses(
        self, logits: Tensor, own: Tensor, infrared: Tensor
    ) -> dict[str, Tensor]:
        """Compute the losses, see :meth:`ModalityMemory.losses`."""
        matches = self.matches[own]
        same = infrared[:, None] == self.of_infrared
        cross = 2 * cross_entropy_without(same, logits, matches.clamp(min=0))
        crossing = infrared if self.epoch % 2 else ~infrared
        cross = cross.masked_fill(~crossing | (matches < 0), 0).mean()
        return {
            **super().losses(logits, own, infrared),
            'loss_cross': self.cross_weight * cross,
        }

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'{super().extra_repr()}, cross_weight={self.cross_weight}, '
            f'start={self.start}'
        )
