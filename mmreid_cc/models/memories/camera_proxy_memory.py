"""A memory of one vector for each camera that sees a cluster."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_cc.clustering import cluster_centroids
from mmreid_cc.registry import MODELS

from .base_memory import BaseMemory
from .checks import check_arguments, check_vectors
from .vector_bank import VectorBank

POSITIVES = ('joint', 'separate')


@MODELS.register_module()
class CameraProxyMemory(BaseMemory):
    r"""Contrast queries with proxies, one for each cluster and camera that sees it.

    A cluster of images from different cameras is spread out by the differences of the
    cameras. So each camera's part of it has a vector p of its own, the normalised mean
    of its features, which the queries of that cluster and camera move. With
    :math:`s_p = q \cdot p / \tau` the loss of a query is a sum of three parts, each
    averaged over the batch:

    - **intra-camera**, over the proxies of the query's camera, a the own one:
      :math:`-\log \frac{\exp s_a}{\sum_{p \in \text{camera}} \exp s_p}` (CAP);
    - **inter-camera**, over the positives P, which are the proxies of the query's
      cluster in *other* cameras, and the negatives Q, which are the ``num_negatives``
      proxies of other clusters in any camera that are most similar to the query:
      :math:`-\frac{1}{|P|} \sum_{p \in P} \log
      \frac{\exp s_p}{\sum_{u \in P} \exp s_u + \sum_{n \in Q} \exp s_n}` (CAP), or,
      with ``positives='separate'``, with :math:`\exp s_p` alone in place of the sum
      over P (ICE). It is 0 for a query whose cluster no other camera sees;
    - **cluster**, :class:`ClusterMemory`'s loss over the centroids of clusters, which
      their queries move (ICE).

    CAP is intra + 0.5 · inter, the default; ICE is cluster + 0.5 · inter. CAP weighs
    cameras equally, and ICE images; we average over images, so that the parts of a
    batch may be spread over processes. With one camera the proxies are the clusters,
    the intra-camera part is :class:`ClusterMemory`'s, and the inter-camera part is 0.
    Images of unknown camera count as those of one more camera. See :class:`BaseMemory`
    for processes, precision and accumulated gradients.

    The public code of both papers differs: the inter-camera parts count the query's own
    proxy among P, contrast P jointly, and are averaged camera by camera. CAP's has that
    part from its sixth epoch on. ICE's smooths the labels of its cluster part and
    leaves proxies and centroids as they are during an epoch.

    Args:
        momentum (float): Weight of the *old* proxy, in [0, 1]. Defaults to 0.2.
        temperature (float): τ, positive. Defaults to 0.07.
        num_negatives (int): The size of Q, at least 1. Defaults to 50.
        positives (str): ``'joint'`` or ``'separate'``; no difference with two cameras.
            Defaults to ``'joint'``.
        intra_weight (float): Weight of the intra-camera part, at least 0. Defaults to
            1.
        inter_weight (float): Weight of the inter-camera part, at least 0. Defaults to
            0.5.
        cluster_weight (float): Weight of the cluster part, at least 0. Defaults to 0:
            there is no cluster part, and no centroids are held.
        cluster_momentum (float): Weight of the *old* centroid. Defaults to 0.1.
        cluster_temperature (float): τ of the cluster part. Defaults to 0.05, Cluster
            Contrast's (ICE has 0.5).

    Raises:
        ValueError: If an argument is out of range.

    References:
        CAP: Wang et al., *Camera-aware Proxies for Unsupervised Person
        Re-Identification* (AAAI 2021, arXiv 2012.10674); momentum, temperature, weights
        and number of negatives are CAP's. ICE: Chen et al., *Inter-instance Contrastive
        Encoding* (ICCV 2021, arXiv 2103.16364), its proxy contrast; temperature and
        number of negatives are the same.

    Examples:
        CAP, and CAP together with Cluster Contrast:

        .. code:: python

            memory = dict(_delete_=True, type='CameraProxyMemory')
            memory = dict(_delete_=True, type='CameraProxyMemory', cluster_weight=1)
            model = dict(head=dict(memory=memory))
    """

    def __init__(
        self,
        momentum: float = 0.2,
        temperature: float = 0.07,
        num_negatives: int = 50,
        positives: str = 'joint',
        intra_weight: float = 1.0,
        inter_weight: float = 0.5,
        cluster_weight: float = 0.0,
        cluster_momentum: float = 0.1,
        cluster_temperature: float = 0.05,
    ) -> None:
        check_arguments(momentum, temperature)
        check_arguments(cluster_momentum, cluster_temperature, prefix='cluster_')
        weights = intra_weight, inter_weight, cluster_weight
        if min(weights) < 0 or not any(weights):
            raise ValueError(
                'intra_weight, inter_weight and cluster_weight must not be negative, '
                f'and not all 0, got {weights}'
            )
        if num_negatives < 1:
            raise ValueError(f'num_negatives must be at least 1, not {num_negatives}')
        if positives not in POSITIVES:
            raise ValueError(f'positives must be in {POSITIVES}, not {positives!r}')
        banks = {'proxies': VectorBank(momentum)}
        if cluster_weight:
            banks['clusters'] = VectorBank(cluster_momentum)
        super().__init__(**banks)
        self.momentum = momentum
        self.temperature = temperature
        self.num_negatives = num_negatives
        self.positives = positives
        self.intra_weight, self.inter_weight, self.cluster_weight = weights
        self.cluster_temperature = cluster_temperature
        self.cam_ids = torch.empty(0, dtype=torch.long)

    def fill(
        self, features: Tensor, labels: Tensor, cam_ids: Tensor, device: torch.device
    ) -> None:
        """Fill the memory with proxies, see :meth:`BaseMemory.fill`."""
        parts, _, _ = split_by_camera(labels, cam_ids)
        state = {'proxies': cluster_centroids(features, parts)}
        if self.cluster_weight:
            state['clusters'] = cluster_centroids(features, labels)
        vectors = {name: torch.from_numpy(v).to(device) for name, v in state.items()}
        self.reset(labels=labels, cam_ids=cam_ids, **vectors)

    def reset(
        self,
        proxies: Tensor,
        labels: Tensor,
        cam_ids: Tensor,
        clusters: Tensor | None = None,
    ) -> None:
        """Set the proxies of a clustering.

        Args:
            proxies (Tensor): L2-normalised, shape (P, D), float, in the order of
                :func:`split_by_camera`; on the device of the embeddings to come.
            labels (Tensor): Cluster of every training image, −1 for none; shape (N,),
                int64.
            cam_ids (Tensor): Its camera, shape (N,), int64.
            clusters (Tensor, optional): Centroids of the clusters, shape (C, D); needed
                if ``cluster_weight`` is not 0. Defaults to None.

        Raises:
            ValueError: If there is no proxy, or not one for each cluster and camera
                that sees it, or a centroid is missing.
        """
        labels, cam_ids = labels.cpu(), cam_ids.cpu()
        check_vectors('proxy', proxies, None)
        parts, proxy_labels, proxy_cams = split_by_camera(labels, cam_ids)
        if len(proxies) != len(proxy_labels):
            raise ValueError(
                f'{len(proxies)} proxies do not fit {len(proxy_labels)} pairs of '
                'cluster and camera.'
            )
        if self.cluster_weight:
            if clusters is None:
                raise ValueError(
                    '`reset` needs `clusters`, because `cluster_weight` is not 0.'
                )
            check_vectors('centroid', clusters, labels)
            self.banks['clusters'].reset(clusters, vector_of=proxy_labels)
        self.banks['proxies'].reset(proxies)
        self.labels, self.cam_ids, self.parts = labels, cam_ids, parts
        self.proxy_labels = proxy_labels.to(proxies.device)
        self.proxy_cams = proxy_cams.to(proxies.device)

    def state(self) -> dict[str, Tensor]:
        """Return the arguments of :meth:`reset`."""
        vectors = {name: bank.vectors for name, bank in self.banks.items()}
        return {**vectors, 'labels': self.labels, 'cam_ids': self.cam_ids}

    def slots_of(self, indices: Tensor) -> Tensor:
        """Look up the proxies of training images, see :meth:`BaseMemory.slots_of`."""
        super().slots_of(indices)
        return self.parts[indices]

    def contrast(self, queries: Tensor, slots: Tensor) -> Tensor:
        """Compute the weighted sum of the parts, see :meth:`BaseMemory.contrast`."""
        loss = queries.new_zeros(())
        own = slots.to(queries.device, non_blocking=True)
        if self.intra_weight or self.inter_weight:
            logits = self.similarities('proxies', queries, slots) / self.temperature
            same_cluster = self.proxy_labels[own][:, None] == self.proxy_labels
            same_camera = self.proxy_cams[own][:, None] == self.proxy_cams
            in_camera = logits.masked_fill(~same_camera, -torch.inf)
            loss = self.intra_weight * F.cross_entropy(in_camera, own)
            inter = self._inter_camera(logits, same_cluster, same_camera)
            loss = loss + self.inter_weight * inter
        if self.cluster_weight:
            similarities = self.similarities('clusters', queries, slots)
            loss = loss + self.cluster_weight * F.cross_entropy(
                similarities / self.cluster_temperature, self.proxy_labels[own]
            )
        return loss

    def _inter_camera(
        self, logits: Tensor, same_cluster: Tensor, same_camera: Tensor
    ) -> Tensor:
        """Compute the inter-camera part, averaged over the batch.

        Args:
            logits (Tensor): Similarities to all proxies over τ, shape (B, P).
            same_cluster (Tensor): Whether a proxy is of the query's cluster, (B, P).
            same_camera (Tensor): Whether it is of the query's camera, (B, P).

        Returns:
            Tensor: A scalar.
        """
        positive = same_cluster & ~same_camera
        # Finite, because a sum over −inf alone has no gradient; its exp is 0, too.
        nothing = torch.finfo(logits.dtype).min / 2
        negatives = logits.masked_fill(same_cluster, nothing)
        hardest = negatives.topk(min(self.num_negatives, logits.shape[1])).values
        if self.positives == 'joint':
            contrasted = logits.masked_fill(~positive, nothing)
            total = torch.cat([contrasted, hardest], dim=1).logsumexp(1, keepdim=True)
            losses = total - logits
        else:
            losses = F.softplus(hardest.logsumexp(1, keepdim=True) - logits)
        sums = losses.masked_fill(~positive, 0).sum(dim=1)
        return (sums / positive.sum(dim=1).clamp(min=1)).mean()

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'momentum={self.momentum}, temperature={self.temperature}, '
            f'num_negatives={self.num_negatives}, positives={self.positives!r}, '
            f'intra_weight={self.intra_weight}, inter_weight={self.inter_weight}, '
            f'cluster_weight={self.cluster_weight}'
        )


def split_by_camera(labels: Tensor, cam_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split clusters into what each camera sees of them.

    Args:
        labels (Tensor): Clusters of images, −1 for none; shape (N,), int64.
        cam_ids (Tensor): Their cameras; shape (N,), int64.

    Returns:
        tuple[Tensor, Tensor, Tensor]: The part that each image is in, −1 for none,
        shape (N,); cluster and camera of each part, shape (P,), ordered by cluster,
        then camera.

    Raises:
        ValueError: If there is not one camera for each label.

    Examples:
        >>> split_by_camera(torch.tensor([0, 0, -1, 0]), torch.tensor([1, 2, 2, 1]))
        (tensor([ 0,  1, -1,  0]), tensor([0, 0]), tensor([1, 2]))
    """
    if labels.shape != cam_ids.shape:
        raise ValueError(f'{len(cam_ids)} cameras do not fit {len(labels)} labels.')
    clustered = labels >= 0
    pairs = torch.stack([labels[clustered], cam_ids[clustered]])
    (of_parts, cams), inverse = pairs.unique(dim=1, return_inverse=True)
    parts = torch.full_like(labels, -1)
    parts[clustered] = inverse
    return parts, of_parts, cams
