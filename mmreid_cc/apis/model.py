"""The loading of a trained network, and a hash that identifies it."""

import copy
import hashlib
import json
import os
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from torch import nn

from mmreid_cc.engine.launch import drop_own_scope
from mmreid_cc.engine.pretrained import pretrained_weights
from mmreid_cc.engine.safe_loading import load_file
from mmreid_cc.engine.weights import check_weights, weights_of
from mmreid_cc.models.computation import dtype_of, prepare_computation
from mmreid_cc.registry import MODELS

from .preprocessing import pipeline_config

HASHED_PARTS = ('data_preprocessor', 'backbone', 'neck')  # the head: by its weights
UNHASHED_KEYS = ('init_cfg', 'frozen_stages', 'with_cp')  # change no embedding


def load_config(config: str | os.PathLike | Config) -> Config:
    """Read a config, with the preprocessor where the model expects it.

    Args:
        config (str | os.PathLike | Config): Path, or the config itself.

    Returns:
        Config: A new config.

    Raises:
        TypeError: If ``config`` has another type.
        ValueError: If it has no model.

    Example:
        >>> load_config('configs/cc_r50_market.py').model.type
        'ImageClassifier'
    """
    if isinstance(config, (str, os.PathLike)):
        cfg = Config.fromfile(config)
    elif isinstance(config, Config):
        cfg = copy.deepcopy(config)
    else:
        raise TypeError(
            'config must be the path of a config or an mmengine Config, not a '
            f'{type(config).__name__}.'
        )
    if cfg.get('model') is None:
        raise ValueError(f'{cfg.filename or "The config"} has no `model`.')
    drop_own_scope(cfg)
    if cfg.get('data_preprocessor') is not None:
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
    return cfg


def scope_of(cfg: Config) -> Any:
    """Return a context in which names are resolved in the scope of the config."""
    scope = cfg.get('default_scope') or 'mmreid_cc'
    return DefaultScope.overwrite_default_scope(scope)


def load_model(
    cfg: Config,
    checkpoint: str | os.PathLike | None,
    device: str | torch.device | None = None,
) -> nn.Module:
    """Build the network of a config, and load the weights of a checkpoint.

    Args:
        cfg (Config): Config from :func:`load_config`.
        checkpoint (str | os.PathLike | None): Read without executing anything from it.
            Every layer must be in it, and no other. None: the weights that the config
            names in ``init_cfg``, see
            :func:`mmreid_cc.engine.pretrained.pretrained_weights`.
        device (str | torch.device, optional): Defaults to None: a GPU if there is one.

    Returns:
        nn.Module: The network, in evaluation mode.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
        UnpicklingError: If it holds more than weights.
        RuntimeError: If it is broken.
        ValueError: If its weights are not those of the model, or, without a checkpoint,
            if the config names none; it lists the layers.

    Example:
        >>> model = load_model(load_config('configs/cc_r50_market.py'), 'best.pth')
    """
    with scope_of(cfg):
        # A copy: some models complete their config, which is hashed as it was given.
        model = MODELS.build(copy.deepcopy(cfg.model))
        if checkpoint is None:
            weights = pretrained_weights(cfg.model)
        else:
            file = os.fspath(checkpoint)
            weights = weights_of(load_file(file, 'cpu'))
            check_weights(model, weights, file, complete=True)
    # Counters that files of old PyTorch versions lack are the only ones missing.
    model.load_state_dict(weights, strict=False)
    hook = (cfg.get('default_hooks') or {}).get('computation') or {}
    dtype = dtype_of(hook.get('inference_dtype'))
    prepare_computation(model, hook.get('channels_last'), dtype)
    return model.to(device or get_device()).eval()


def model_hash(model: nn.Module, cfg: Config) -> str:
    """Compute a hash that identifies networks whose embeddings can be compared.

    Args:
        model (nn.Module): Model with its weights.
        cfg (Config): Config of the model, and of the preparation of images.

    Returns:
        str: 16 hexadecimal digits of a SHA-256 sum over all weights, the test pipeline
        and the architecture. The device has no part in it.

    Example:
        >>> model_hash(model, cfg)
        '5f0c2a1b9d3e4f67'
    """
    parts = {name: cfg.model.get(name) for name in HASHED_PARTS}
    setup = dict(pipeline=pipeline_config(cfg), **parts)
    digest = hashlib.sha256(
        json.dumps(_hashed(setup), sort_keys=True, default=repr).encode()
    )
    for name, tensor in model.state_dict().items():
        digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}'.encode())
        content = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(content.numpy().data)
    return digest.hexdigest()[:16]


def _hashed(value: Any) -> Any:
    """Return the part of a config that embeddings depend on."""
    if isinstance(value, dict):
        return {k: _hashed(v) for k, v in value.items() if k not in UNHASHED_KEYS}
    if isinstance(value, (list, tuple)):
        return [_hashed(item) for item in value]
    return value
