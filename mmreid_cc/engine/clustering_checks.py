"""Checks of what training on pseudo labels requires of sampler and processes."""

import hashlib
from typing import Any

from mmengine.dist import all_gather_object
from torch import Tensor
from torch.utils.data import DataLoader


def check_sampler(dataloader: DataLoader, batches_per_step: int) -> None:
    """Check that the training loader draws by label, one batch for each step.

    Args:
        dataloader (DataLoader): Loader of the training images.
        batches_per_step (int): The number of batches whose gradients are accumulated.

    Raises:
        ValueError: If it draws in another way.
    """
    sampler: Any = dataloader.sampler
    if not hasattr(sampler, 'set_labels'):
        raise ValueError(
            f'ClusterMemoryHook needs a sampler that draws by pseudo label, not '
            f'{type(sampler).__name__}: set `train_dataloader.sampler` to '
            '`dict(type="RandomMultipleGallerySampler", ...)`.'
        )
    if sampler.batch_size != batches_per_step * (dataloader.batch_size or 0):
        raise ValueError(
            f'`train_dataloader.batch_size` is {dataloader.batch_size}, and '
            f'{batches_per_step} such batch(es) make a step of the optimizer, but the '
            f'sampler draws {sampler.batch_size} images for each process and step '
            '(num_clusters × num_instances / processes). tools/train.py sets it; in '
            f'code of your own, set it to {sampler.batch_size} / {batches_per_step}.'
        )


def check_same_vectors(vectors: dict[str, Tensor]) -> None:
    """Check that the memories of all processes hold the same vectors, bit by bit.

    Args:
        vectors (dict[str, Tensor]): By name, each of shape (C, D).

    Raises:
        RuntimeError: If they differ, in all processes.
    """
    for name, rows in vectors.items():
        content = rows.detach().cpu().numpy().tobytes()
        sums = all_gather_object(hashlib.sha256(content).hexdigest()[:8])
        if len(set(sums)) > 1:
            raise RuntimeError(
                f'The {name} of the processes differ; by rank, {", ".join(sums)}. A '
                'memory must move them by the queries of all processes, in one order.'
            )
