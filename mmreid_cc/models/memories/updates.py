"""The rules by which queries move their centroids, vectorised over clusters."""

import torch
from torch import Tensor


def momentum_update(
    centroids: Tensor, queries: Tensor, labels: Tensor, momentum: float
) -> None:
    """Every query moves its centroid, one after the other in batch order, in place.

    With a small momentum the result depends on that order: after 16 queries and m = 0.1
    a centroid has cosine 0.994 with the last one. So this is no mean over a cluster's
    queries. In round r the r-th query of every cluster acts; within a round no two
    queries share a centroid, so the rounds equal the loop over the batch, bit for bit.

    Args:
        centroids (Tensor): L2-normalised, shape (C, D); changed in place.
        queries (Tensor): L2-normalised, shape (B, D). Rows that are not finite are
            passed over.
        labels (Tensor): The centroid of every query, shape (B,), int64.
        momentum (float): Weight of the old centroid, in [0, 1].
    """
    keep = torch.isfinite(queries).all(dim=1)
    queries, labels = queries[keep], labels[keep]
    if len(labels) == 0:
        return
    clusters, members, sizes = torch.unique(
        labels, return_inverse=True, return_counts=True
    )
    order = torch.argsort(members, stable=True)
    starts = torch.cumsum(sizes, 0) - sizes
    moved = centroids[clusters]
    # As in the reference, 1 − m is taken in the precision of the features.
    new_weight = 1 - torch.tensor(momentum, dtype=queries.dtype, device=queries.device)
    for turn in range(int(sizes.max())):
        active = torch.nonzero(sizes > turn).squeeze(1)
        query = queries[order[starts[active] + turn]]
        centroid = momentum * moved[active] + new_weight * query
        moved[active] = centroid / centroid.norm(dim=1, keepdim=True)
    centroids[clusters] = moved


def hard_update(
    centroids: Tensor, queries: Tensor, labels: Tensor, momentum: float
) -> None:
    """The query least similar to its centroid moves it, once per cluster, in place.

    Of equally similar queries the first one does. Arguments as
    :func:`momentum_update`.
    """
    keep = torch.isfinite(queries).all(dim=1)
    queries, labels = queries[keep], labels[keep]
    similarity = (queries * centroids[labels]).sum(dim=1)
    order = torch.argsort(similarity, stable=True)
    order = order[torch.argsort(labels[order], stable=True)]
    grouped = labels[order]
    first = torch.ones_like(grouped, dtype=torch.bool)
    first[1:] = grouped[1:] != grouped[:-1]
    hardest = order[first]
    momentum_update(centroids, queries[hardest], labels[hardest], momentum)
