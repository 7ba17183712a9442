"""Extraction of the features of a data set by all processes."""

from collections.abc import Sized
from typing import Any, cast

import torch
from mmengine.dist import broadcast, is_main_process
from mmengine.model import is_model_wrapper
from rich.progress import track
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmreid_cc.evaluation.gather import gather_by_index
from mmreid_cc.models.computation import fixed_weights


@torch.no_grad()
def extract_features(model: nn.Module, dataloader: DataLoader) -> Tensor:
    """Compute the embeddings of all images, in the order of the data set.

    Every process embeds its share, with the batch norm statistics of the main process,
    and gets all embeddings. The model is in evaluation mode meanwhile, and returns to
    its former mode.

    Args:
        model (nn.Module): Model whose mode ``'tensor'`` gives embeddings (B, D), e.g.
            an ``ImageClassifier`` with :class:`ClusterContrastHead`; may be wrapped for
            distributed training.
        dataloader (DataLoader): Loader whose samples carry ``sample_idx``; with
            ``DefaultSampler(shuffle=False)`` in a distributed run.

    Returns:
        Tensor: Shape (N, D), float32 on the CPU (float64 for a float64 model).
    """
    bare = unwrapped(model)
    broadcast_statistics(bare)
    was_training = bare.training
    bare.eval()
    embeddings, indices = [], []
    silent = not is_main_process()
    with fixed_weights(bare):
        for batch in track(dataloader, 'Features', transient=True, disable=silent):
            inputs = bare.data_preprocessor(batch, False)
            embeddings.append(bare(**inputs, mode='tensor').cpu())
            indices += [sample.sample_idx for sample in inputs['data_samples']]
    bare.train(was_training)
    size = len(cast(Sized, dataloader.dataset))
    return gather_by_index(torch.cat(embeddings), torch.tensor(indices), size)


def unwrapped(model: nn.Module) -> Any:
    """Return the model inside a wrapper for distributed training."""
    return model.module if is_model_wrapper(model) else model


def teacher_of(model: nn.Module) -> Any:
    """Return the average of a model that teaches it.

    Args:
        model (nn.Module): Wrapped for distributed training or not.

    Returns:
        nn.Module | None: None if it has no teacher.
    """
    return getattr(unwrapped(model), 'teacher', None)


@torch.no_grad()
def broadcast_statistics(model: nn.Module) -> None:
    """Give every process the batch norm statistics of the main one.

    Each process normalises its own part of a batch and keeps its own running mean and
    variance. As ``DataParallel`` keeps those of the first replica, we keep those of the
    main process.

    Args:
        model (nn.Module): Changed in place; not wrapped.
    """
    for buffer in model.buffers():
        if buffer.is_floating_point():
            broadcast(buffer)
