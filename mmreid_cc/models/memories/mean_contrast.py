"""The contrast with classes, each of which is the mean of the vectors of its images."""

import torch.nn.functional as F
from torch import Tensor


def contrast_means(
    similarities: Tensor,
    classes: Tensor,
    sizes: Tensor,
    slots: Tensor,
    temperature: float,
) -> Tensor:
    """Compute the mean cross entropy of queries against the means of classes.

    The similarity to a mean, which is not normalised, is the mean of the similarities.

    Args:
        similarities (Tensor): Of queries to all vectors, shape (B, M).
        classes (Tensor): Class of each vector, shape (M,), int64, on the same device.
        sizes (Tensor): Number of the vectors of each class, shape (C,), int64.
        slots (Tensor): Vector of each query, whose class is the right one; shape (B,),
            int64.
        temperature (float): Divisor of the similarities.

    Returns:
        Tensor: A scalar.

    Example:
        >>> classes = torch.tensor([0, 0, 1])
        >>> similarities = torch.tensor([[0.9, 0.7, 0.1]])
        >>> contrast_means(
        ...     similarities, classes, classes.bincount(), torch.tensor([0]), 0.1)
        tensor(0.0009)
    """
    sums = similarities.new_zeros(len(similarities), len(sizes))
    sums = sums.index_add(1, classes, similarities)
    target = classes[slots.to(classes.device, non_blocking=True)]
    return F.cross_entropy(sums / sizes / temperature, target)
