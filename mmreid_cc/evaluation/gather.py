"""Gather the rows of all ranks."""

import numpy as np
import torch
from mmengine.dist import all_gather, get_world_size
from torch import Tensor


def gather_by_index(values: Tensor, indices: Tensor, size: int) -> Tensor:
    """Gather one row per sample from all ranks, ordered by sample index.

    All ranks must call it, and all get the result. Ranks may hold different numbers of
    rows, as long as each holds one. Samples that a sampler repeats to fill its last
    round are kept once: the first row of the lowest rank. In a single process the rows
    are only ordered.

    Args:
        values (Tensor): (n, …) rows of this rank, on any device, n ≥ 1. All ranks
            agree in type and in the other dimensions.
        indices (Tensor): (n,) int64, the sample that each row belongs to,
            0…``size`` − 1.
        size (int): Number of samples of the data set.

    Returns:
        Tensor: (size, …), of the type of ``values``, on the CPU.

    Raises:
        ValueError: If ``values`` and ``indices`` differ in length; if an index is out
            of range, or a sample has no row on any rank.

    Example:
        >>> gather_by_index(torch.tensor([7., 5.]), torch.tensor([1, 0]), size=2)
        tensor([5., 7.])
    """
    if indices.shape != values.shape[:1]:
        raise ValueError(
            f'{tuple(values.shape)} values need indices of the shape '
            f'{tuple(values.shape[:1])}, got {tuple(indices.shape)}.'
        )
    rows = gather_rows(values)
    # The position of each sample's first row, in ascending order of the samples.
    samples, first_rows = np.unique(gather_rows(indices).numpy(), return_index=True)
    if samples[0] < 0 or samples[-1] >= size:
        raise ValueError(
            f'Sample indices lie in {samples[0]}…{samples[-1]}, but a data set of '
            f'{size} samples has 0…{size - 1}. They must be those of this data set.'
        )
    if len(samples) < size:
        missing = np.setdiff1d(np.arange(size), samples)
        raise ValueError(
            f'{len(missing)} of {size} samples are missing, the first is sample '
            f'{missing[0]}. The sampler must visit every sample: use DefaultSampler, '
            'and no drop_last.'
        )
    return rows[first_rows]


def gather_rows(values: Tensor) -> Tensor:
    """Concatenate the rows of all ranks, in their order.

    All ranks must call it, and all get the result.

    Args:
        values (Tensor): (n, …) rows of this rank, on any device; n may differ. All
            ranks agree in type and in the other dimensions.

    Returns:
        Tensor: (sum of n, …), of the type of ``values``, on the CPU.

    Example:
        >>> gather_rows(torch.tensor([7., 5.]))  # in a single process
        tensor([7., 5.])
    """
    rows = values.detach().cpu()
    if get_world_size() == 1:
        return rows
    counts = [int(count) for count in all_gather(torch.tensor([len(rows)]))]
    # A collective needs the same shape on every rank.
    padding = rows.new_zeros(max(counts) - len(rows), *rows.shape[1:])
    gathered = all_gather(torch.cat([rows, padding]))
    return torch.cat([part[:n] for part, n in zip(gathered, counts, strict=True)])
