"""The weights that a config starts from, if there is no checkpoint."""

import copy
import logging
from typing import Any

import torch
from mmengine.logging import MMLogger
from torch import Tensor, nn

from mmreid_cc.registry import MODELS

from .weights import check_pretrained, listed

PRETRAINED = 'none'  # in place of a checkpoint, on the command line
UNUSED = 'head.classifier.'  # layers that no embedding passes through


def pretrained_weights(model: dict) -> dict[str, Tensor]:
    """Build a model, and load the files that its ``init_cfg`` names.

    An untrained layer is found by initialising the model twice with two seeds, because
    its weights then differ.

    Args:
        model (dict): Config of the model.

    Returns:
        dict[str, Tensor]: All weights of the model.

    Raises:
        ValueError: If an embedding would depend on a layer with random weights, or a
            file does not fit its layer; it names the layers.

    Example:
        >>> weights = pretrained_weights(cfg.model)
    """
    first, second = (_initialised(model, seed) for seed in (0, 1))
    check_pretrained(first)
    weights, others = first.state_dict(), second.state_dict()
    random = [
        name
        for name, tensor in weights.items()
        if not name.startswith(UNUSED) and not torch.equal(tensor, others[name])
    ]
    if random:
        raise ValueError(
            'No checkpoint is given, and the config has no trained weights for '
            f'{listed(random)}. Give a checkpoint, or name one in '
            "`model.backbone.init_cfg=dict(type='Pretrained', checkpoint=...)`."
        )
    return weights


def _initialised(model: dict, seed: int) -> nn.Module:
    logger = MMLogger.get_current_instance()
    level = logger.level
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        # A copy: some models complete their config.
        built: Any = MODELS.build(copy.deepcopy(model))
        logger.setLevel(logging.WARNING)  # else a line for every layer
        try:
            built.init_weights()
        finally:
            logger.setLevel(level)
    return built
