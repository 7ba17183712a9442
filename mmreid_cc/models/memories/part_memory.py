"""Labels that whole images and their parts refine for each other (PPLR)."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.clustering import cluster_centroids, knn
from mmreid_cc.registry import MODELS

from ..losses import gather_with_gradient, soft_triplet_loss
from .base_memory import BaseMemory
from .checks import check_arguments, check_shares, check_vectors
from .vector_bank import VectorBank


@MODELS.register_module()
class PartMemory(BaseMemory):
    r"""Contrast images and their parts with clusters, and let each refine the other.

    An embedding is the vector of the image and those of its P parts, side by side
    (:class:`PartPooling`). Clusters are found by the first. All 1 + P have centroids of
    their own, which their queries move, as in :class:`ClusterMemory`, and with them a
    distribution over the clusters, :math:`q^g` and :math:`q^{p_n}`.

    The *cross agreement* of an image and its part n is found with the clusters: of the
    k nearest images by the whole, R(g), and by the part, :math:`R(p_n)`,

    .. math::

        \alpha_n = \frac{|R(g) \cap R(p_n)|}{|R(g) \cup R(p_n)|}.

    With y the pseudo label of an image, one-hot, and u the uniform distribution, the
    loss has three parts:

    - **refined**: :math:`-\sum_c \tilde y_c \log q^g_c`, where parts correct the label,
      and those that agree more have more weight:
      :math:`\tilde y = \beta y + (1 - \beta) \sum_n w_n q^{p_n}` with
      :math:`w = \mathrm{softmax}_n(\alpha_n)`;
    - **parts**: :math:`\frac{1}{P} \sum_n \alpha_n H(y, q^{p_n}) + (1 - \alpha_n)
      D_\mathrm{KL}(u \,\|\, q^{p_n})`: a part that sees something else is not made to
      believe the label. In the first share of the training, when parts know nothing
      yet, it is a cross entropy with labels smoothed by 0.1 instead;
    - **triplet**: :func:`soft_triplet_loss` of the whole, with a hard target, among the
      batches of all processes.

    PPLR contrasts with the weights of linear classifiers, which begin as the centroids
    and are trained; here it is the memory. Its triplets are of embeddings that are not
    normalised, and it tests by the whole alone, we by the whole and the parts. Its
    contrast across cameras is that of :class:`CameraProxyMemory`, and is not included
    here.

    Args:
        num_parts (int): P, as of :class:`PartPooling`. Defaults to 3.
        num_neighbors (int): k, the image itself included. Defaults to 20.
        label_weight (float): β, in [0, 1]. Defaults to 0.5.
        warm_up (float): Share of the training with smoothed labels, in [0, 1]. Defaults
            to 0.1.
        momentum (float): Weight of the *old* centroid, in [0, 1]. Defaults to 0.1.
        temperature (float): Temperature of the contrasts, positive. Defaults to 0.05.

    Raises:
        ValueError: If an argument is out of range, or embeddings have no such parts.

    References:
        Cho et al., *Part-based Pseudo Label Refinement for Unsupervised Person
        Re-identification* (CVPR 2022, arXiv 2203.14675); the warm-up is that of its
        public code.

    Examples:
        .. code:: python

            model = dict(
                neck=dict(_delete_=True, type='PartPooling', num_parts=3),
                head=dict(
                    in_channels=8192,
                    memory=dict(_delete_=True, type='PartMemory')))
    """

    def __init__(
        self,
        num_parts: int = 3,
        num_neighbors: int = 20,
        label_weight: float = 0.5,
        warm_up: float = 0.1,
        momentum: float = 0.1,
        temperature: float = 0.05,
    ) -> None:
        check_arguments(momentum, temperature)
        if min(num_parts, num_neighbors) < 1:
            raise ValueError(
                'num_parts and num_neighbors must be at least 1, got '
                f'{num_parts} and {num_neighbors}'
            )
        check_shares(label_weight=label_weight, warm_up=warm_up)
        names = ['whole', *(f'part_{number}' for number in range(1, num_parts + 1))]
        super().__init__(**{name: VectorBank(momentum) for name in names})
        self.num_parts = num_parts
        self.num_neighbors = num_neighbors
        self.label_weight = label_weight
        self.warm_up = warm_up
        self.momentum = momentum
        self.temperature = temperature
        self.agreement = torch.empty(0, num_parts)

    def clustered(self, features: Tensor) -> Tensor:
        """Return the vectors of whole images."""
        return self.pieces(features)[0]

    def fill(
        self, features: Tensor, labels: Tensor, cam_ids: Tensor, device: torch.device
    ) -> None:
        """Fill the memory from a clustering, see :meth:`BaseMemory.fill`."""
        pieces = self.pieces(features)
        vectors = {
            name: torch.from_numpy(cluster_centroids(piece, labels)).to(device)
            for name, piece in zip(self.banks, pieces, strict=True)
        }
        lists = [knn(piece, self.num_neighbors)[0] for piece in pieces]
        agreement = np.stack([cross_agreement(lists[0], part) for part in lists[1:]], 1)
        self.reset(labels, torch.from_numpy(agreement).to(features.dtype), **vectors)

    def reset(self, labels: Tensor, agreement: Tensor, **vectors: Tensor) -> None:
        """Set the centroids of the whole and of the parts.

        Args:
            labels (Tensor): Cluster of every training image, −1 for none; shape (N,),
                int64.
            agreement (Tensor): Its cross agreement with each of its parts, shape
                (N, P), float.
            **vectors (Tensor): ``whole``, ``part_1``, …, L2-normalised, each of shape
                (C, D), float, on the device of the embeddings to come.

        Raises:
            ValueError: If there is no centroid, or a label has none.
        """
        self.labels = labels.cpu()
        for name, bank in self.banks.items():
            check_vectors('centroid', vectors[name], self.labels)
            bank.reset(vectors[name], vector_of=self.labels)
        self.agreement = agreement.cpu()

    def state(self) -> dict[str, Tensor]:
        """Return the arguments of :meth:`reset`."""
        vectors = {name: bank.vectors for name, bank in self.banks.items()}
        return {**vectors, 'labels': self.labels, 'agreement': self.agreement}

    def slots_of(self, indices: Tensor) -> Tensor:
        """Return the images themselves, by which ``contrast`` looks up more."""
        super().slots_of(indices)
        return indices

    def contrast(self, queries: Tensor, slots: Tensor) -> dict[str, Tensor]:
        """Compute the three parts by name, see :meth:`BaseMemory.contrast`."""
        images = slots.cpu()
        labels = self.labels[images].to(queries.device, non_blocking=True)
        agreement = self.agreement[images].to(queries.device, non_blocking=True)
        pieces = self.pieces(queries)
        whole, *parts = (
            self.similarities(name, piece, slots) / self.temperature
            for name, piece in zip(self.banks, pieces, strict=True)
        )
        losses = [
            self._part_loss(part, labels, agreement[:, number])
            for number, part in enumerate(parts)
        ]
        triplets = pieces[0], labels
        everyone = (gather_with_gradient(each) for each in triplets)
        return {
            'loss_refined': F.cross_entropy(
                whole, self.refined_labels(labels, parts, agreement)
            ),
            'loss_parts': torch.stack(losses).mean(),
            'loss_triplet': soft_triplet_loss(*triplets, *everyone),
        }

    def refined_labels(
        self, labels: Tensor, parts: list[Tensor], agreement: Tensor
    ) -> Tensor:
        """Return pseudo labels that are corrected by the predictions of the parts.

        Args:
            labels (Tensor): Shape (B,), int64.
            parts (list[Tensor]): Logits of each part, shape (B, C).
            agreement (Tensor): Shape (B, P).

        Returns:
            Tensor: Shape (B, C), without gradient; the sum of a row is 1.
        """
        predictions = torch.stack([part.detach().softmax(dim=1) for part in parts], 2)
        weights = agreement.softmax(dim=1)[:, None]
        given = F.one_hot(labels, predictions.shape[1]).to(predictions.dtype)
        believed = (predictions * weights).sum(dim=2)
        return self.label_weight * given + (1 - self.label_weight) * believed

    def _part_loss(self, logits: Tensor, labels: Tensor, agreement: Tensor) -> Tensor:
        if self.progress < self.warm_up:
            return F.cross_entropy(logits, labels, label_smoothing=0.1)
        given = F.cross_entropy(logits, labels, reduction='none')
        log_softmax = logits.log_softmax(dim=1)
        # D(u ‖ q) of C clusters: −log C − the mean of log q.
        doubt = -log_softmax.mean(dim=1) - np.log(logits.shape[1])
        return (agreement * given + (1 - agreement) * doubt).mean()

    def pieces(self, vectors: Tensor) -> list[Tensor]:
        """Return the vectors of the whole and of the parts.

        Args:
            vectors (Tensor): Shape (B, (1 + P) · D).

        Returns:
            list[Tensor]: L2-normalised, 1 + P of shape (B, D).

        Raises:
            ValueError: If they cannot be divided so.
        """
        if vectors.shape[1] % (1 + self.num_parts):
            raise ValueError(
                f'Embeddings of {vectors.shape[1]} numbers cannot be divided into the '
                f'vectors of an image and {self.num_parts} parts: PartMemory needs '
                '`model.neck` to be of the type "PartPooling", with the same '
                '`num_parts`.'
            )
        pieces = vectors.chunk(1 + self.num_parts, dim=1)
        return [F.normalize(piece) for piece in pieces]

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'num_parts={self.num_parts}, num_neighbors={self.num_neighbors}, '
            f'label_weight={self.label_weight}, warm_up={self.warm_up}, '
            f'momentum={self.momentum}, temperature={self.temperature}'
        )


def cross_agreement(neighbors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Compute the IoU of two lists of neighbours for each image.

    Args:
        neighbors (np.ndarray): (N, k) int64, no number twice in a row.
        others (np.ndarray): Other lists of the same shape.

    Returns:
        np.ndarray: (N,) float64, in [0, 1].

    Example:
        >>> cross_agreement(np.array([[0, 1, 2]]), np.array([[0, 3, 2]]))
        array([0.5])
    """
    both = np.sort(np.concatenate([neighbors, others], axis=1), axis=1)
    common = (both[:, 1:] == both[:, :-1]).sum(axis=1)
    return common / (both.shape[1] - common)
