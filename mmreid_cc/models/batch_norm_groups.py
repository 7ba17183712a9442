"""Batch norm over groups of a batch, as several GPUs would normalise their parts."""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def group_batch_norm(model: nn.Module, samples_per_bn: int) -> list[Any]:
    """Let every batch norm layer normalise contiguous groups of a training batch.

    Public code trains Cluster Contrast by ``DataParallel`` on 4 GPUs: each of them
    normalises its 64 of the 256 images by their own mean and variance, and the running
    statistics are those of the first GPU. One process does the same here, group by
    group. Testing, parameters and names are not changed.

    Args:
        model (nn.Module): Changed in place: its layers, subclasses of PyTorch's
            ``BatchNorm1d`` to ``3d``, get a subclass of their own class.
        samples_per_bn (int): Images in a group; it must divide the batch.

    Returns:
        list[_BatchNorm]: The layers that were changed. While their ``tracks`` is False,
        the running statistics stay as they are.

    Raises:
        ValueError: If there are layers of ``SyncBatchNorm``, which normalise over all
            processes. While training: if the batch has no such groups.

    References:
        The name, and the idea for one process, are from OpenUnReID (Ge et al., 2020).

    Example:
        >>> layers = group_batch_norm(nn.Sequential(nn.BatchNorm2d(3)), 64)
        >>> layers[0]
        GroupedBatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, ...)
    """
    layers: list[Any] = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    for layer in layers:
        if isinstance(layer, nn.SyncBatchNorm):
            raise ValueError(
                'SyncBatchNorm normalises over all processes, `samples_per_bn` over '
                'groups within one. Remove `sync_bn`, or '
                '`default_hooks.batch_norm_groups`, from the config.'
            )
        if not isinstance(layer, _GroupedBatchNorm):
            layer.__class__ = grouped(layer.__class__)
        layer.samples_per_bn = samples_per_bn
    return layers


class _GroupedBatchNorm:
    """What is laid over the class of a batch norm layer."""

    samples_per_bn: int
    tracks = True

    def forward(self: Any, inputs: Tensor) -> Tensor:
        """Normalise, in training group by group.

        Args:
            inputs (Tensor): Shape (B, C, …).

        Returns:
            Tensor: The same shape.
        """
        if not self.training:
            return super().forward(inputs)  # type: ignore[misc]
        if len(inputs) % self.samples_per_bn:
            raise ValueError(
                f'A batch of {len(inputs)} images has no groups of '
                f'{self.samples_per_bn} for batch norm. Set '
                '`default_hooks.batch_norm_groups.samples_per_bn` to a divisor of the '
                'images that a process gets in an iteration.'
            )
        groups = inputs.split(self.samples_per_bn)
        outputs = []
        tracked = self.track_running_stats
        for number, group in enumerate(groups):
            self.track_running_stats = tracked and self.tracks and number == 0
            outputs.append(super().forward(group))  # type: ignore[misc]
        self.track_running_stats = tracked
        return torch.cat(outputs) if len(outputs) > 1 else outputs[0]


@cache
def grouped(layer: Any) -> Any:
    """The class of a layer, with groups; one for each class."""
    return type(f'Grouped{layer.__name__}', (_GroupedBatchNorm, layer), {})
