"""A cache by which every image of a run is decoded and resized once."""

import pickle
from typing import Any

from mmengine.dist import all_gather_object, get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_cc.datasets import ReIDDataset
from mmreid_cc.datasets.image_cache import ImageCache, fixed_size
from mmreid_cc.registry import HOOKS

from ..available_memory import available_memory
from ..local_ranks import local_ranks


@HOOKS.register_module()
class ImageCacheHook(Hook):
    """Keep the images of a training in memory, after decoding and resizing.

    Decoding and resizing have no random part, so every epoch, the extraction of
    features and validations would repeat them. The images are shared by all processes
    of the run on a machine and their loader processes, and by training and extraction.
    They take 3 bytes for a pixel: 1.3 GB for the training images of Market-1501, 3.2 GB
    for MSMT17 (256 × 128).

    Training images are kept first, then those of the validation, if they fit; the log
    says which are kept. A file that changes during a run is not read again.

    Args:
        share (float): Share of the memory that is available at the start, in [0, 1].
            0 keeps nothing. Defaults to 0.25.

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
        datasets: dict[str, Any] = {'training': runner.train_dataloader.dataset}
        if runner.val_loop is not None:
            datasets['validation'] = runner.val_dataloader.dataset
        first = local_ranks()[0]
        is_first = get_rank() == first
        caches = self._create(runner, datasets) if is_first else {}
        created = all_gather_object(pickle.dumps(caches))
        if not is_first:
            try:
                caches = pickle.loads(created[first])
            except OSError as error:  # containers that hide processes from each other
                runner.logger.info(f'Images are decoded in every epoch: {error}')
        for name, cache in caches.items():
            datasets[name].keep_images(cache)

    def _create(self, runner: Runner, datasets: dict[str, Any]) -> dict:
        """Create caches for the data sets whose images fit."""
        room = available_memory() * self.share
        caches = {}
        for name, dataset in datasets.items():
            cache = self._cache(runner, name, dataset, room)
            if cache is not None:
                caches[name] = cache
                room -= cache.nbytes(cache.count, cache.size)
        return caches

    def _cache(
        self, runner: Runner, name: str, dataset: Any, room: float
    ) -> ImageCache | None:
        known = isinstance(dataset, ReIDDataset)
        size = fixed_size(dataset.pipeline) if known else None
        if size is None:
            runner.logger.info(
                f'The {name} images are decoded in every epoch: their pipeline does '
                'not begin with LoadReIDImage and a Resize to a fixed size.'
            )
            return None
        needed = ImageCache.nbytes(len(dataset), size)
        if needed > room:
            runner.logger.info(
                f'The {name} images are decoded in every epoch: keeping them takes '
                f'{needed / 1e6:,.0f} MB, and {room / 1e6:,.0f} MB are set aside '
                '(`default_hooks.image_cache.share` of the available memory).'
            )
            return None
        try:
            cache = ImageCache(len(dataset), size)
        except OSError as error:
            runner.logger.info(f'The {name} images are decoded in every epoch: {error}')
            return None
        runner.logger.info(
            f'The {name} images are kept in memory: {needed / 1e6:,.0f} MB.'
        )
        return cache
