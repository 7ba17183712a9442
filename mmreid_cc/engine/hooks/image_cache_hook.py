"""A cache by which every image of a run is decoded and resized once."""

import os
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmreid_cc.datasets import ReIDDataset
from mmreid_cc.datasets.image_cache import ImageCache, available_memory, fixed_size
from mmreid_cc.registry import HOOKS


@HOOKS.register_module()
class ImageCacheHook(Hook):
    """Keep the images of a training in memory, after decoding and resizing.

    Decoding and resizing have no random part, so every epoch, the extraction of
    features and validations would repeat them. The images are shared by all loader
    processes of a process, and by training and extraction. They take 3 bytes for a
    pixel: 1.3 GB for the training images of Market-1501, 3.2 GB for MSMT17 (256 × 128).

    Training images are kept first, then those of the validation, if they fit; the log
    says which are kept. A file that changes during a run is not read again.

    Args:
        share (float): Share of the memory that is available at the start, for all
            processes on the machine together, in [0, 1]. 0 keeps nothing. Defaults to
            0.25.

    Raises:
        ValueError: If ``share`` is out of range.

    Examples:
        .. code:: python

            default_hooks = dict(image_cache=dict(type='ImageCacheHook', share=0.5))
    """

    priority = 'VERY_HIGH'  # before a hook that starts workers

    def __init__(self, share: float = 0.25) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f'ImageCacheHook: share must be in [0, 1], not {share}')
        self.share = share

    def before_train(self, runner: Runner) -> None:
        """Give the data sets their caches."""
        if not self.share:
            return
        processes = int(os.environ.get('LOCAL_WORLD_SIZE', 1))  # set by torchrun
        room = available_memory() * self.share / processes
        loaders = {'training': runner.train_dataloader}
        if runner.val_loop is not None:
            loaders['validation'] = runner.val_dataloader
        for name, loader in loaders.items():
            room -= self._keep(runner, name, loader, room)

    def _keep(self, runner: Runner, name: str, loader: DataLoader, room: float) -> int:
        """Keep the images of a loader if they fit; return the bytes that they take."""
        dataset: Any = loader.dataset
        known = isinstance(dataset, ReIDDataset)
        size = fixed_size(dataset.pipeline) if known else None
        if size is None:
            runner.logger.info(
                f'The {name} images are decoded in every epoch: their pipeline does '
                'not begin with LoadReIDImage and a Resize to a fixed size.'
            )
            return 0
        needed = ImageCache.nbytes(len(dataset), size)
        if needed > room:
            runner.logger.info(
                f'The {name} images are decoded in every epoch: keeping them takes '
                f'{needed / 1e6:,.0f} MB, and {room / 1e6:,.0f} MB are set aside '
                '(`default_hooks.image_cache.share` of the available memory).'
            )
            return 0
        try:
            dataset.keep_images(ImageCache(len(dataset), size))
        except OSError as error:
            runner.logger.info(f'The {name} images are decoded in every epoch: {error}')
            return 0
        runner.logger.info(
            f'The {name} images are kept in memory: {needed / 1e6:,.0f} MB.'
        )
        return needed
