"""Batch norm over groups of a batch, as several GPUs would normalise their parts."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor, nn
from torch.distributed import ProcessGroup
from torch.nn.modules.batchnorm import _BatchNorm

from .computation import compute_piecewise
from .grouped_batch_norm import GroupedBatchNorm
from .piecewise import joined
from .shared_batch_norm import SharedBatchNorm

CHECKPOINTING = ('with_cp', 'use_checkpoint', 'memory_efficient', 'grad_checkpointing')
"""Attributes of mmpretrain's and timm's layers that compute activations twice."""


class BatchNormGroups:
    """Passes a batch through a part of a network so that its groups are normalised.

    On a CPU the groups pass one after the other: their maps fit the cache. On a GPU the
    whole batch passes at once, and the batch norm layers alone see groups, see
    :class:`~mmreid_cc.models.grouped_batch_norm.GroupedBatchNorm`. The results are the
    same but for rounding.

    Args:
        layers (list[nn.Module]): The batch norm layers of the network.
        samples_per_bn (int): Images in a group of this process.
        processes (ProcessGroup, optional): Those which normalise their groups together.
            Defaults to None: this one alone.
        at_once (bool, optional): Whether several groups pass at once. Defaults to None:
            on a GPU.

    Attributes:
        tracks (bool): Whether the running statistics follow the first group of the next
            batch; True at first.

    Example:
        >>> groups = BatchNormGroups([layer], samples_per_bn=64)
        >>> groups(layer, torch.rand(256, 2048)).shape
        torch.Size([256, 2048])
    """

    def __init__(
        self,
        layers: list[Any],
        samples_per_bn: int,
        processes: ProcessGroup | None = None,
        at_once: bool | None = None,
    ) -> None:
        self.layers = layers
        self.samples_per_bn = samples_per_bn
        self.shared = None if processes is None else SharedBatchNorm(processes)
        self.at_once = at_once
        self.tracks = True
        self._tracked = [layer for layer in layers if layer.track_running_stats]
        self._track(False)

    def __call__(self, function: Callable[[Tensor], Any], inputs: Tensor) -> Any:
        """Call a function with the groups of a batch.

        Args:
            function (Callable): A part of the network, from (B, …) to tensors (B, …).
            inputs (Tensor): Shape (N, …).

        Returns:
            Any: The outputs for the whole batch.

        Raises:
            ValueError: If the batch has no such groups.
        """
        if len(inputs) % self.samples_per_bn:
            raise ValueError(
                f'A batch of {len(inputs)} images has no groups of '
                f'{self.samples_per_bn} for batch norm. Set '
                '`default_hooks.batch_norm_groups.samples_per_bn` to a divisor of the '
                'images that a process gets in an iteration.'
            )
        at_once = inputs.is_cuda if self.at_once is None else self.at_once
        parts = inputs.split(self.samples_per_bn)
        context: AbstractContextManager = self.shared or nullcontext()
        if at_once and len(parts) > 1:
            parts, context = (inputs,), GroupedBatchNorm(self.samples_per_bn)
        outputs = []
        for number, part in enumerate(parts):
            self._track(self.tracks and number == 0)
            with context:
                outputs.append(function(part))
        # Also between the calls: a backward pass that computes activations once more
        # (`with_cp`) must not move the statistics again.
        self._track(False)
        return joined(outputs)

    def end(self) -> None:
        """Let the layers track whatever passes them again."""
        self._track(True)

    def _track(self, tracks: bool) -> None:
        for layer in self._tracked:
            layer.track_running_stats = tracks


def group_batch_norm(
    model: Any,
    samples_per_bn: int,
    processes: ProcessGroup | None = None,
    at_once: bool | None = None,
) -> BatchNormGroups:
    """Let a classifier normalise contiguous groups of a training batch.

    Public code trains Cluster Contrast by ``DataParallel`` on 4 GPUs: each of them
    normalises its 64 of the 256 images by their own mean and variance, and the running
    statistics are those of the first GPU. One process does the same here. On a CPU the
    groups pass through backbone, neck and BN neck one after the other, and the
    embeddings are joined; on a GPU they pass together, and only the batch norm layers
    tell them apart. Testing, layers and parameters are not changed.

    Args:
        model (nn.Module): An ``ImageClassifier`` whose head is a
            :class:`~mmreid_cc.models.BNNeckHead`.
        samples_per_bn (int): Images in a group of this process; it must divide the
            batch.
        processes (ProcessGroup, optional): Processes that share each group: together
            they normalise what they get. Defaults to None: none share.
        at_once (bool, optional): Whether the groups pass together. Defaults to None: on
            a GPU, where one process has several and no activations are computed twice.

    Returns:
        BatchNormGroups: While its ``tracks`` is False, the running statistics stay as
        they are.

    Raises:
        ValueError: If the model is no such classifier, or there are layers of
            ``SyncBatchNorm``, which normalise over all processes, or layers that
            compute activations twice while groups are shared.

    References:
        The name, and the idea for one process, are from OpenUnReID (Ge et al., 2020).

    Example:
        >>> groups = group_batch_norm(model, samples_per_bn=64)
        >>> len(groups.layers)
        54
    """
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, _BatchNorm)
    }
    if any(isinstance(layer, nn.SyncBatchNorm) for layer in layers.values()):
        raise ValueError(
            'SyncBatchNorm normalises over all processes, `samples_per_bn` over groups '
            'within one. Remove `sync_bn`, or `default_hooks.batch_norm_groups`, from '
            'the config.'
        )
    ungrouped = [name for name in layers if not _is_grouped(model, name)]
    if ungrouped:
        raise ValueError(
            f'The batch norm layer(s) {", ".join(ungrouped)} would normalise the whole '
            'batch: groups pass through `backbone`, `neck` and `head.bn` of an '
            'ImageClassifier whose head is a BNNeckHead. Move them there, or set '
            '`default_hooks.batch_norm_groups.samples_per_bn=None`.'
        )
    computes_twice = {
        key
        for module in model.modules()
        for key in CHECKPOINTING
        if getattr(module, key, False)
    }
    if processes is not None and computes_twice:
        key = min(computes_twice)
        raise ValueError(
            f'Checkpointed activations (`{key}`) are computed again in the backward '
            f'pass, where processes cannot share a batch norm group. Remove `{key}`, '
            'or take so few processes that each gets whole groups.'
        )
    # What is computed again in the backward pass would be normalised as a whole.
    at_once = False if computes_twice else at_once
    groups = BatchNormGroups(list(layers.values()), samples_per_bn, processes, at_once)
    model.batch_norm_groups = groups
    if hasattr(model, 'head'):
        model.head.batch_norm_groups = groups
    compute_piecewise(model)
    return groups


def _is_grouped(model: Any, name: str) -> bool:
    if name.startswith(('backbone.', 'neck.')):
        return hasattr(model, 'extract_feat')
    return name == 'head.bn' and hasattr(model.head, 'batch_norm_groups')
