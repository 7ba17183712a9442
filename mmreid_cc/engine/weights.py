"""Checks, before weights are loaded, that they belong to the model."""

import copy
from collections.abc import Mapping, Sequence

from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

LISTED = 10  # layers named in an error
STATE = ('epoch', 'iter', 'message_hub', 'optimizer')  # what a run continues from


def check_weights(
    model: nn.Module, state_dict: Mapping[str, Tensor], source: str, *, complete: bool
) -> None:
    """Check that weights fit a model; neither is changed.

    MMEngine loads what fits and warns about the rest, so a model of another size would
    be trained or tested with random layers. Keys are compared as the model itself does
    when it loads: layers may rename or resize their weights.

    Args:
        model (nn.Module): Not wrapped.
        state_dict (Mapping[str, Tensor]): The weights.
        source (str): The name of their source, for the error.
        complete (bool): Whether exactly the layers of the model must be there.
            Otherwise layers may be missing or left over, as a head is when training
            starts from another task, but a tensor of another shape is an error, and so
            is a file without any layer of the backbone.

    Raises:
        ValueError: If the weights do not fit; it names the layers.

    Example:
        >>> check_weights(nn.Linear(2, 3), nn.Linear(2, 4).state_dict(), 'a.pth',
        ...               complete=True)
        ValueError: a.pth does not fit the model of the config. Layers of another ...
    """
    # In a copy: the model runs its own conversions, and is not touched.
    loaded = copy.deepcopy(model)
    try:
        missing, unexpected = loaded.load_state_dict(state_dict, strict=False)
    except RuntimeError as error:
        mismatches = [line.strip() for line in str(error).splitlines()[1:]]
        raise ValueError(
            f'{_misfit(source)} Layers of another shape: {listed(mismatches)}'
        ) from None
    # Counters that files of old PyTorch versions lack.
    missing = [key for key in missing if not key.endswith('num_batches_tracked')]
    if complete and (missing or unexpected):
        raise ValueError(
            f'{_misfit(source)} Missing in the file: {listed(missing)}. Only in the '
            f'file: {listed(unexpected)}.'
        )
    names = [name for name, _ in model.named_parameters()]
    backbone = [name for name in names if name.startswith('backbone.')] or names
    if set(backbone) <= set(missing):
        raise ValueError(
            f'{_misfit(source)} It has none of the layers {listed(backbone)}; it has '
            f'{listed(list(state_dict))}. Weights of a backbone alone are for '
            "`model.backbone.init_cfg=dict(type='Pretrained', checkpoint=...)`; "
            'a `prefix` there selects the layers whose names begin with it.'
        )


def check_state(checkpoint: Mapping, source: str) -> None:
    """Check that a training can continue from a checkpoint.

    MMEngine goes on without the state of the optimizer if there is none, so the run
    would become another one.

    Args:
        checkpoint (Mapping): What the file holds.
        source (str): The name of the file, for the error.

    Raises:
        ValueError: If the file holds weights without the state of the training.

    Example:
        >>> check_state({'state_dict': {}}, 'published.pth')
        ValueError: published.pth holds weights, but not the state of a training ...
    """
    state = {**checkpoint, **checkpoint.get('meta', {})}
    missing = [key for key in STATE if key not in state]
    if missing:
        raise ValueError(
            f'{source} holds weights, but not the state of a training '
            f'({", ".join(missing)}), as published and best checkpoints do, so no run '
            'can continue from it. Resume from a checkpoint such as epoch_10.pth, or '
            'begin a new run with these weights: --cfg-options load_from=CHECKPOINT '
            'instead of --resume.'
        )


def check_pretrained(model: nn.Module) -> None:
    """Check that the files of ``init_cfg=dict(type='Pretrained', ...)`` fit.

    Args:
        model (nn.Module): Not wrapped. Its modules with such an ``init_cfg`` are
            checked.

    Raises:
        ValueError: If a file does not fit, see :func:`check_weights`.
    """
    for module in model.modules():
        init_cfg = getattr(module, 'init_cfg', None) or []
        for cfg in [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg:
            if cfg['type'] != 'Pretrained':
                continue
            checkpoint = CheckpointLoader.load_checkpoint(cfg['checkpoint'], 'cpu')
            weights = weights_of(checkpoint)
            if cfg.get('prefix') is not None:
                prefix = cfg['prefix'].removesuffix('.') + '.'
                weights = {
                    key.removeprefix(prefix): value
                    for key, value in weights.items()
                    if key.startswith(prefix)
                }
            check_weights(module, weights, cfg['checkpoint'], complete=False)


def weights_of(checkpoint: Mapping) -> dict[str, Tensor]:
    """Return the weights in a checkpoint, by the names of a model without a wrapper.

    Args:
        checkpoint (Mapping): A dict with ``state_dict``, or the weights themselves.

    Returns:
        dict[str, Tensor]: A new dict with the tensors of the checkpoint.
    """
    weights = checkpoint.get('state_dict', checkpoint)
    return {key.removeprefix('module.'): value for key, value in weights.items()}


def _misfit(source: str) -> str:
    return f'{source} does not fit the model of the config.'


def listed(names: Sequence[str]) -> str:
    """Join the first of many names into one text for an error."""
    more = len(names) - LISTED
    listed = ', '.join(names[:LISTED]) or 'nothing'
    return f'{listed} and {more} more' if more > 0 else listed
