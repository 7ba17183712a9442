"""The rules by which queries move their centroids, computed for all clusters at once.

The order of the updates depends on the labels alone, so it is planned on the CPU. If
the labels are there already, a GPU is never waited for.
"""

import numpy as np
import torch
from torch import Tensor


def momentum_update(
    centroids: Tensor, queries: Tensor, labels: Tensor, momentum: float
) -> None:
    """Move the centroid of every query, one after the other in batch order, in place.

    With a small momentum the result depends on that order: after 16 queries and m = 0.1
    a centroid has cosine 0.994 with the last one. So this is no mean over a cluster's
    queries. In round r the r-th query of every cluster acts; within a round no two
    queries share a centroid, so the rounds equal the loop over the batch, bit for bit.
    The number of operations grows with the queries of a cluster, not with the batch.

    Args:
        centroids (Tensor): L2-normalised, shape (C, D); changed in place.
        queries (Tensor): L2-normalised, shape (B, D). A cluster with a query that is
            not finite stays where it is.
        labels (Tensor): The centroid of every query, shape (B,), int64; keep them on
            the CPU.
        momentum (float): Weight of the old centroid, in [0, 1].
    """
    clusters, turns, sizes = _group(labels)
    in_rounds = turns.T[turns.T >= 0].to(queries.device, non_blocking=True)
    clusters = clusters.to(centroids.device, non_blocking=True)
    # As in the reference, 1 − m is taken in the precision of the features.
    one = queries.new_ones(())
    queries = queries.index_select(0, in_rounds) * (one - one * momentum)
    before = centroids[clusters]
    moved = before.clone()
    start = 0
    for turn in range(turns.shape[1]):
        # The largest clusters come first, so those with a query left are in front.
        active = moved[: int((sizes > turn).sum())]
        active.mul_(momentum).add_(queries[start : start + len(active)])
        active.div_(torch.linalg.vector_norm(active, dim=1, keepdim=True))
        start += len(active)
    finite = torch.isfinite(moved.sum(dim=1, keepdim=True))
    centroids[clusters] = torch.where(finite, moved, before)


def hard_update(
    centroids: Tensor, queries: Tensor, labels: Tensor, momentum: float
) -> None:
    """Move each centroid by its least similar query, once per cluster, in place.

    Among equally similar queries, the first one is used; queries that are not finite
    are skipped. Arguments are those of :func:`momentum_update`.
    """
    clusters, turns, _ = _group(labels)
    turns = turns.to(queries.device, non_blocking=True)
    on_device = labels.to(queries.device, non_blocking=True)
    similarity = (queries * centroids[on_device]).sum(dim=1)
    similarity = similarity.masked_fill(~torch.isfinite(similarity), torch.inf)
    candidates = similarity[turns].masked_fill(turns < 0, torch.inf)
    hardest = candidates.argmin(dim=1, keepdim=True)
    chosen = turns.gather(1, hardest).squeeze(1)
    momentum_update(centroids, queries[chosen], clusters, momentum)


def _group(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Group the queries by cluster, in batch order.

    Args:
        labels (Tensor): Shape (B,), int64.

    Returns:
        tuple[Tensor, Tensor, Tensor]: On the CPU: the clusters that occur, largest
        first, shape (U,); the queries of each, in batch order, filled up by −1, shape
        (U, largest size); the number of queries of each, shape (U,).
    """
    values = labels.cpu().numpy()
    order = np.argsort(values, kind='stable')
    clusters, starts, sizes = np.unique(
        values[order], return_index=True, return_counts=True
    )
    turns = np.full((len(clusters), sizes.max(initial=0)), -1)
    position = np.arange(len(values)) - np.repeat(starts, sizes)
    turns[np.repeat(np.arange(len(clusters)), sizes), position] = order
    largest_first = np.argsort(-sizes, kind='stable')
    return (
        torch.from_numpy(clusters[largest_first]),
        torch.from_numpy(turns[largest_first]),
        torch.from_numpy(sizes[largest_first]),
    )
