"""Triplet loss with soft targets."""

import torch
from torch import Tensor


def soft_triplet_loss(
    anchors: Tensor,
    labels: Tensor,
    others: Tensor,
    other_labels: Tensor,
    taught_anchors: Tensor | None = None,
    taught_others: Tensor | None = None,
) -> Tensor:
    r"""Compute the cross entropy of a triplet's softmax with 1, or with a teacher's.

    Each anchor x has its farthest positive p and its nearest negative n. With f the
    embeddings,

    .. math::

        T(x) = \frac{e^{|f(x) - f(n)|}}{e^{|f(x) - f(p)|} + e^{|f(x) - f(n)|}}

    costs :math:`-\log T(x)`, or with the same three images in the embeddings of a
    teacher, whose softmax is T', :math:`-T' \log T - (1 - T') \log (1 - T)`. An anchor
    without a negative costs nothing.

    Args:
        anchors (Tensor): Shape (B, D), float.
        labels (Tensor): Their identities, shape (B,), int.
        others (Tensor): What p and n are of, the anchors among them; shape (M, D).
        other_labels (Tensor): Their identities, shape (M,).
        taught_anchors (Tensor, optional): Anchors of the teacher, shape (B, D).
            Defaults to None: the target is 1.
        taught_others (Tensor, optional): The same, shape (M, D).

    Returns:
        Tensor: The mean over the anchors, a scalar.

    References:
        MMT: Ge et al., *Mutual Mean-Teaching* (ICLR 2020, arXiv 2001.01526), its
        softmax-triplet loss and soft softmax-triplet loss.

    Example:
        >>> x = torch.tensor([[0.0], [1.0], [3.0]])
        >>> soft_triplet_loss(x, torch.tensor([0, 0, 1]), x, torch.tensor([0, 0, 1]))
        tensor(0.1890)
    """
    same = labels[:, None] == other_labels
    distances = _distances(anchors, others)
    farthest = distances.masked_fill(~same, -torch.inf).argmax(dim=1, keepdim=True)
    nearest = distances.masked_fill(same, torch.inf).argmin(dim=1, keepdim=True)
    chosen = torch.cat([farthest, nearest], dim=1)
    log_softmax = distances.gather(1, chosen).log_softmax(dim=1)
    target = torch.zeros_like(log_softmax)
    if taught_anchors is None or taught_others is None:
        target[:, 1] = 1
    else:
        taught = _distances(taught_anchors, taught_others)
        target = taught.gather(1, chosen).softmax(dim=1)
    losses = -(target * log_softmax).sum(dim=1)
    return (losses * (~same).any(dim=1)).mean()


def _distances(anchors: Tensor, others: Tensor) -> Tensor:
    """Compute Euclidean distances, with a gradient of 0 between equal vectors."""
    return torch.cdist(anchors, others, compute_mode='donot_use_mm_for_euclid_dist')
