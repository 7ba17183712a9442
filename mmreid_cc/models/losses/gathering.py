"""The gathering of the batches of all processes for a loss."""

import torch
from mmengine.dist import all_gather, get_world_size
from torch import Tensor
from torch.distributed.nn.functional import all_gather as all_gather_with_gradient


def gather_with_gradient(values: Tensor) -> Tensor:
    """Gather the rows of all processes, in the order of their ranks.

    The gradient of every process's loss flows back to the process that a row is from.
    As ``DistributedDataParallel`` averages over processes, the gradient of the weights
    is that of the mean of all losses, on any number of processes.

    Args:
        values (Tensor): Shape (B, …), the same in all processes.

    Returns:
        Tensor: Shape (B · processes, …); with one process, ``values``.

    Example:
        >>> gather_with_gradient(torch.tensor([7., 5.]))  # in a single process
        tensor([7., 5.])
    """
    if get_world_size() == 1:
        return values
    if not values.requires_grad:
        return torch.cat(all_gather(values))
    return torch.cat(all_gather_with_gradient(values))
