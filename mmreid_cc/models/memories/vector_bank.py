"""Vectors that queries are compared with, and that the queries then move."""

from collections.abc import Callable
from typing import Any

import torch
from mmengine.dist import all_gather, get_world_size
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from mmreid_cc.clustering.full_precision import full_precision

from .updates import hard_update, momentum_update

UPDATES: dict[str, Callable[[Tensor, Tensor, Tensor, float], None]] = {
    'momentum': momentum_update,
    'hard': hard_update,
}


class VectorBank:
    """What a memory holds: unit vectors, each of them moved by the queries of its slot.

    In the backward pass, after the gradient has been taken from the vectors that the
    forward pass saw, the queries move their vectors. In a distributed run those of all
    processes do, in the order of their ranks, so that the vectors stay equal
    everywhere. A vector with a query that is not finite stays where it is.

    Args:
        momentum (float): Weight of the *old* vector, in [0, 1].
        update (str): ``'momentum'``: every query moves its vector, one after the other
            in the order of the batch. ``'hard'``: only the query that is least similar
            to its vector does, once per vector. Defaults to ``'momentum'``.

    Attributes:
        vectors (Tensor): Shape (S, D); (0, 0) before :meth:`reset`.

    Examples:
        >>> bank = VectorBank(momentum=0.1)
        >>> bank.reset(torch.eye(2))
        >>> queries = torch.tensor([[0.6, 0.8]], requires_grad=True)
        >>> bank.similarities(queries, torch.tensor([0])).sum().backward()
        >>> bank.vectors[0]                          # has moved, vector 1 has not
        tensor([0.6508, 0.7593])
    """

    def __init__(self, momentum: float, update: str = 'momentum') -> None:
        self.momentum = momentum
        self.move_vectors = UPDATES[update]
        self.vectors = torch.empty(0, 0)
        self.pending: list[tuple[Tensor, Tensor]] = []

    @torch.no_grad()
    def reset(self, vectors: Tensor) -> None:
        """Begin anew.

        Args:
            vectors (Tensor): L2-normalised, shape (S, D), float, on the device of the
                queries to come.
        """
        self.vectors = vectors.clone()  # the updates are made in place
        self.pending = []

    def similarities(
        self, queries: Tensor, slots: Tensor, batches_per_update: int = 1
    ) -> Tensor:
        """Compare queries with all vectors; the backward pass moves the vectors.

        Args:
            queries (Tensor): L2-normalised, shape (B, D), of the vectors' dtype.
            slots (Tensor): The vector that each of them moves, shape (B,), int64. Best
                on the CPU: then a GPU is not waited for.
            batches_per_update (int): So many batches move the vectors together, as if
                they had been one. Defaults to 1.

        Returns:
            Tensor: Inner products, shape (B, S).
        """
        return _Similarities.apply(queries, slots, self, batches_per_update)

    @torch.no_grad()
    def move(self, queries: Tensor, slots: Tensor, batches_per_update: int) -> None:
        """Update the vectors by the queries of all processes, in the order of ranks.

        With ``batches_per_update`` > 1, they wait until that many batches are there.

        Args:
            queries (Tensor): L2-normalised, shape (B, D), the same B in all processes.
            slots (Tensor): The vectors they move, shape (B,), int64.
            batches_per_update (int): As in :meth:`similarities`.
        """
        self.pending.append((queries, slots))
        if len(self.pending) < batches_per_update:
            return
        queries, slots = map(torch.cat, zip(*self.pending, strict=True))
        self.pending = []
        if get_world_size() > 1:
            queries = torch.cat(all_gather(queries.contiguous()))
            slots = torch.cat(all_gather(slots))
        self.move_vectors(self.vectors, queries, slots, self.momentum)


class _Similarities(Function):
    """Inner products of queries and vectors; backward moves the vectors."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        slots: Tensor,
        bank: VectorBank,
        batches_per_update: int,
    ) -> Tensor:
        ctx.bank, ctx.batches_per_update = bank, batches_per_update
        ctx.save_for_backward(queries, slots)
        return queries @ bank.vectors.T

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        queries, slots = ctx.saved_tensors
        with full_precision(grad.device.type):
            grad_queries = grad @ ctx.bank.vectors
        ctx.bank.move(queries.detach(), slots, ctx.batches_per_update)
        return grad_queries, None, None, None
