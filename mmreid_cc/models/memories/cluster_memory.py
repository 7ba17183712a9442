"""The cluster memory: one momentum-updated vector for each pseudo class."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_world_size
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from mmreid_cc.registry import MODELS

from .updates import hard_update, momentum_update

UPDATES: dict[str, Callable[[Tensor, Tensor, Tensor, float], None]] = {
    'momentum': momentum_update,
    'hard': hard_update,
}

HOW_TO_FILL = (
    'ClusterMemoryHook fills it before an epoch: add it to the config, or call '
    '`reset(centroids, labels)`.'
)


@MODELS.register_module()
class ClusterMemory(nn.Module):
    r"""Contrast queries with one centroid per cluster, which the queries then move.

    The loss is InfoNCE over all centroids, :math:`-\log \mathrm{softmax}(q C^T / \tau)`
    at the query's own cluster. In the backward pass, after the gradient has been taken
    from the centroids that the forward pass saw, the queries move their centroids:
    :math:`c \leftarrow m c + (1 - m) q`, :math:`c \leftarrow c / |c|`. The memory is
    created anew by :meth:`reset` after every clustering, so it is no part of the
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

    Raises:
        ValueError: If an argument is not as said.

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
        self, momentum: float = 0.1, temperature: float = 0.05, update: str = 'momentum'
    ) -> None:
        super().__init__()
        if not 0 <= momentum <= 1:
            raise ValueError(
                f'ClusterMemory: momentum must be in [0, 1], not {momentum}'
            )
        if temperature <= 0:
            raise ValueError(
                f'ClusterMemory: temperature must be positive, not {temperature}'
            )
        if update not in UPDATES:
            raise ValueError(
                f'ClusterMemory: update must be in {sorted(UPDATES)}, not {update!r}'
            )
        self.momentum = momentum
        self.temperature = temperature
        self.update = update
        self.batches_per_update = 1
        self.pending: list[tuple[Tensor, Tensor]] = []
        # No buffers: their size changes, which averaged models and DDP do not expect.
        self.centroids = torch.empty(0, 0)
        # On the CPU, where indices come from: a GPU is then not waited for.
        self.labels = torch.empty(0, dtype=torch.long)

    @torch.no_grad()
    def reset(self, centroids: Tensor, labels: Tensor | None = None) -> None:
        """Begin anew with the centroids of a clustering.

        Args:
            centroids (Tensor): L2-normalised, shape (C, D), float, on the device of the
                embeddings to come.
            labels (Tensor, optional): Cluster of every training image, −1 for none;
                shape (N,), int64. Needed where images are known by their index only, as
                in :class:`ClusterContrastHead`. Defaults to None.

        Raises:
            ValueError: If there is no centroid, or a label has none.
        """
        if centroids.ndim != 2 or len(centroids) == 0:
            raise ValueError(
                'ClusterMemory.reset needs at least one centroid, got shape '
                f'{tuple(centroids.shape)}.'
            )
        if labels is not None and len(labels) and labels.max() >= len(centroids):
            raise ValueError(
                f'Label {labels.max().item()} has no centroid: there are '
                f'{len(centroids)}.'
            )
        self.centroids = centroids.clone()  # the updates are made in place
        self.labels = self.labels[:0] if labels is None else labels.cpu()
        self.pending = []

    def snapshot(self) -> dict[str, Tensor]:
        """What a checkpoint needs in the middle of an epoch.

        Returns:
            dict[str, Tensor]: ``centroids`` (C, D) and ``labels`` (N,), on the CPU.

        Raises:
            RuntimeError: If queries wait for the rest of their batch, whose gradients
                no checkpoint holds.
        """
        if self.pending:
            raise RuntimeError(
                f'Gradients of {len(self.pending)} of {self.batches_per_update} '
                'accumulated batches would be lost in a checkpoint here. Make '
                '`default_hooks.checkpoint.interval` a multiple of '
                '`optim_wrapper.accumulative_counts`.'
            )
        return {'centroids': self.centroids.cpu(), 'labels': self.labels}

    def restore(self, snapshot: dict[str, Tensor]) -> None:
        """Go on from what :meth:`snapshot` returned.

        Args:
            snapshot (dict[str, Tensor]): On the device of the embeddings to come.

        Raises:
            ValueError: As :meth:`reset`.
        """
        self.reset(snapshot['centroids'], snapshot['labels'])

    def labels_of(self, indices: Tensor) -> Tensor:
        """The clusters of training images.

        Args:
            indices (Tensor): Their ``sample_idx``, shape (B,), int64, on the CPU.

        Returns:
            Tensor: Shape (B,), int64, on the CPU; −1 for none.

        Raises:
            RuntimeError: If the memory has no labels.
        """
        if len(self.labels) == 0:
            raise RuntimeError(f'The cluster memory has no labels. {HOW_TO_FILL}')
        return self.labels[indices]

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch; its backward pass moves the centroids.

        Args:
            embeddings (Tensor): Queries, shape (B, D); they are normalised here.
            labels (Tensor): Their clusters, shape (B,), int64, in [0, C). Best on the
                CPU: then a GPU is not waited for.

        Returns:
            Tensor: Mean cross entropy over the batch, a scalar.

        Raises:
            RuntimeError: If the memory was not reset yet.
        """
        if len(self.centroids) == 0:
            raise RuntimeError(f'The cluster memory is empty. {HOW_TO_FILL}')
        with torch.autocast(embeddings.device.type, enabled=False):
            queries = F.normalize(embeddings.to(self.centroids.dtype))
            similarities = _Contrast.apply(queries, labels, self)
            target = labels.to(queries.device, non_blocking=True)
            return F.cross_entropy(similarities / self.temperature, target)

    @torch.no_grad()
    def move_centroids(self, queries: Tensor, labels: Tensor) -> None:
        """Update the centroids by the queries of all processes, in the order of ranks.

        With ``batches_per_update`` > 1, they wait until that many batches are there.

        Args:
            queries (Tensor): L2-normalised, shape (B, D), the same B in all processes.
            labels (Tensor): Their clusters, shape (B,), int64.
        """
        self.pending.append((queries, labels))
        if len(self.pending) < self.batches_per_update:
            return
        queries, labels = map(torch.cat, zip(*self.pending, strict=True))
        self.pending = []
        if get_world_size() > 1:
            queries = torch.cat(all_gather(queries.contiguous()))
            labels = torch.cat(all_gather(labels))
        UPDATES[self.update](self.centroids, queries, labels, self.momentum)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f'momentum={self.momentum}, temperature={self.temperature}, '
            f'update={self.update!r}'
        )


class _Contrast(Function):
    """Similarities of queries and centroids; backward moves the centroids."""

    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, labels: Tensor, memory: ClusterMemory
    ) -> Tensor:
        ctx.memory = memory
        ctx.save_for_backward(queries, labels)
        return queries @ memory.centroids.T

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        queries, labels = ctx.saved_tensors
        grad_queries = grad @ ctx.memory.centroids
        ctx.memory.move_centroids(queries, labels)
        return grad_queries, None, None
