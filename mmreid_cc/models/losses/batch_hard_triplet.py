"""Triplet loss from the hardest positive and the hardest negative in a batch."""

import torch
import torch.nn.functional as F
from torch import Tensor


def batch_hard_triplet_loss(
    anchors: Tensor,
    labels: Tensor,
    others: Tensor | None = None,
    other_labels: Tensor | None = None,
    *,
    margin: float | None = 0.3,
) -> Tensor:
    r"""Compare each anchor with its farthest positive and its nearest negative.

    With the Euclidean distances :math:`d_p` and :math:`d_n` of the two, an anchor costs
    :math:`\max(0, m + d_p - d_n)`, or :math:`\log(1 + e^{d_p - d_n})` with the soft
    margin; the loss is the mean. An anchor that finds no negative costs nothing.

    Args:
        anchors (Tensor): Embeddings, shape (B, D), float; in half precision they are
            compared in single.
        labels (Tensor): Their identities, shape (B,), int.
        others (Tensor, optional): What positives and negatives are drawn from, the
            anchors among them; shape (M, D). Defaults to None: the anchors.
        other_labels (Tensor, optional): Their identities, shape (M,).
        margin (float, optional): m; None for the soft margin. Defaults to 0.3.

    Returns:
        Tensor: A scalar.

    References:
        Hermans et al., *In Defense of the Triplet Loss for Person Re-Identification*,
        arXiv 1703.07737, equation 5 and section 2 (soft margin).

    Example:
        >>> anchors = torch.tensor([[0.], [1.], [3.]])
        >>> batch_hard_triplet_loss(anchors, torch.tensor([0, 0, 1]), margin=2.)
        tensor(0.3333)
    """
    if others is None or other_labels is None:
        others, other_labels = anchors, labels
    with torch.autocast(anchors.device.type, enabled=False):
        # A matrix product would lose small distances to rounding.
        distances = torch.cdist(
            anchors.to(torch.promote_types(anchors.dtype, torch.float32)),
            others.to(torch.promote_types(others.dtype, torch.float32)),
            compute_mode='donot_use_mm_for_euclid_dist',
        )
        same = labels[:, None] == other_labels
        farthest = distances.masked_fill(~same, -torch.inf).amax(dim=1)
        nearest = distances.masked_fill(same, torch.inf).amin(dim=1)
        difference = farthest - nearest
        if margin is None:
            return F.softplus(difference).mean()
        return F.relu(margin + difference).mean()
