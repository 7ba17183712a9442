"""Vectors that queries are compared with, and that queries then move."""

from collections.abc import Callable
from typing import Any

import torch
from mmengine.dist import all_gather, get_rank, get_world_size
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
    """Unit vectors of a memory, each of which the queries of its slot move.

    In the backward pass, after the gradient has been taken from the vectors that the
    forward pass saw, the queries move their vectors. In a distributed run, the queries
    of all processes do so in the order of their ranks, so that the vectors stay equal
    everywhere. If a query of a vector is not finite, the vector does not move.

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
        tensor([0.6644, 0.7474])
    """

    def __init__(self, momentum: float, update: str = 'momentum') -> None:
        self.momentum = momentum
        self.move_vectors = UPDATES[update]
        self.vectors = torch.empty(0, 0)
        self.vector_of: Tensor | None = None
        self.pending: list[tuple[Tensor, Tensor]] = []

    @torch.no_grad()
    def reset(self, vectors: Tensor, vector_of: Tensor | None = None) -> None:
        """Replace the vectors.

        Args:
            vectors (Tensor): L2-normalised, shape (S, D), float, on the device of the
                queries to come.
            vector_of (Tensor, optional): The vector of each slot of the memory, int64,
                on the CPU. Defaults to None: slots number the vectors.
        """
        self.vectors = vectors.clone()  # the updates are made in place
        self.vector_of = vector_of
        self.pending = []

    def similarities(
        self,
        queries: Tensor,
        slots: Tensor,
        batches_per_update: int = 1,
        step_slots: Tensor | None = None,
    ) -> Tensor:
        """Compare queries with all vectors; the backward pass moves the vectors.

        Args:
            queries (Tensor): L2-normalised, shape (B, D), of the vectors' dtype.
            slots (Tensor): Slots of the memory, one for each of them, which says what
                vector it moves; shape (B,), int64. Keep them on the CPU, so that the
                program does not wait for a GPU.
            batches_per_update (int): The number of batches that move the vectors
                together, as if they were one. Defaults to 1.
            step_slots (Tensor, optional): In a distributed run, the slots of all
                processes in these batches, in the order of the ranks, if they are
                known. Defaults to None: they are exchanged in the backward pass.

        Returns:
            Tensor: Inner products, shape (B, S).
        """
        if self.vector_of is not None:
            slots = self.vector_of[slots.cpu()]
            if step_slots is not None:
                step_slots = self.vector_of[step_slots]
        return _Similarities.apply(queries, slots, self, batches_per_update, step_slots)

    @torch.no_grad()
    def move(
        self,
        queries: Tensor,
        slots: Tensor,
        batches_per_update: int,
        step_slots: Tensor | None = None,
    ) -> None:
        """Update the vectors by the queries of all processes, in the order of ranks.

        With ``batches_per_update`` > 1, they wait until that many batches are there.

        Args:
            queries (Tensor): L2-normalised, shape (B, D), the same B in all processes.
            slots (Tensor): The vectors they move, shape (B,), int64.
            batches_per_update (int): As in :meth:`similarities`.
            step_slots (Tensor, optional): The vectors that the queries of all processes
                move, shape (B · batches · processes,).

        Raises:
            RuntimeError: If the slots of this process are not among them.
        """
        self.pending.append((queries, slots))
        if len(self.pending) < batches_per_update:
            return
        queries, slots = map(torch.cat, zip(*self.pending, strict=True))
        self.pending = []
        if get_world_size() > 1:
            queries = torch.cat(all_gather(queries.contiguous()))
            if step_slots is None:
                slots = torch.cat(all_gather(slots))
            else:
                check_share(slots, step_slots)
                slots = step_slots
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
        step_slots: Tensor | None,
    ) -> Tensor:
        ctx.bank, ctx.batches_per_update = bank, batches_per_update
        ctx.step_slots = step_slots
        ctx.save_for_backward(queries, slots)
        return queries @ bank.vectors.T

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None, None]:
        queries, slots = ctx.saved_tensors
        with full_precision(grad.device.type):
            grad_queries = grad @ ctx.bank.vectors
        ctx.bank.move(queries.detach(), slots, ctx.batches_per_update, ctx.step_slots)
        return grad_queries, None, None, None, None


def check_share(slots: Tensor, step_slots: Tensor) -> None:
    """Check that the slots of this process are its part of those of all.

    Args:
        slots (Tensor): Slots of this process, shape (B,).
        step_slots (Tensor): Slots of all processes, in the order of the ranks.

    Raises:
        RuntimeError: If they are not. Slots on a GPU are not checked, because the
            program would have to wait for them.
    """
    share = step_slots.view(get_world_size(), -1)[get_rank()]
    if not slots.is_cuda and not slots.equal(share):
        raise RuntimeError(
            'The slots in `similarities` are not those that `slots_of` gives for the '
            'images of the step. If the slots of your memory do not number the vectors '
            'of a bank, pass their numbers to `banks[...].reset(vectors, vector_of)`. '
            'If your sampler draws in another way, remove `default_hooks.step_slots`.'
        )
