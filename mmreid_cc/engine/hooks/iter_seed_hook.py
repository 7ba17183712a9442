"""Random draws of the network that do not depend on earlier draws."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner

from mmreid_cc.datasets.seeding import independent_seeds
from mmreid_cc.registry import HOOKS


@HOOKS.register_module()
class IterSeedHook(Hook):
    """Seed all generators before every iteration, by (seed, iteration, rank).

    Random draws of a network itself, e.g. for drop path, are then the same in a resumed
    run. The augmentation is seeded image by image, by
    :class:`RandomMultipleGallerySampler`.

    Examples:
        .. code:: python

            default_hooks = dict(iter_seed=dict(type='IterSeedHook'))
    """

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None
    ) -> None:
        """Seed Python, NumPy and PyTorch (CPU and GPUs)."""
        python, numpy, pytorch = independent_seeds(
            (runner.seed, runner.iter, get_rank())
        )
        random.seed(python)
        np.random.seed(numpy)
        torch.manual_seed(pytorch)
