"""Augmentation of batches on the device that trains on them."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_cc.registry import HOOKS

from ..device_augmentation import DRAWS, DrawAugmentation, draw_only


@HOOKS.register_module()
class DeviceAugmentationHook(Hook):
    """Flip, crop and erase whole batches on the device, instead of image by image.

    If loader processes cannot keep up with a GPU, this hook takes over a part of their
    work. The draws for an image stay the same, and so do the pixels. The training
    pipeline must end with ``RandomFlip``, ``PadAndCrop``, ``ReIDRandomErasing`` and
    ``PackInputs``, as in the recipes.

    Raises:
        ValueError: If the pipeline is another one.

    Examples:
        .. code:: python

            custom_hooks = [dict(type='DeviceAugmentationHook')]
    """

    def __init__(self) -> None:
        self.draw: DrawAugmentation | None = None

    def before_train(self, runner: Runner) -> None:
        """Change the pipeline before loader processes start with it."""
        dataset = runner.train_dataloader.dataset
        self.draw = draw_only(dataset.pipeline.transforms)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Augment a batch, in place."""
        if self.draw is None or data_batch is None:
            return
        device = next(runner.model.parameters()).device
        rows = [sample.get(DRAWS) for sample in data_batch['data_samples']]
        draws = torch.tensor(rows).to(device, non_blocking=True)
        images = data_batch['inputs'].to(device, non_blocking=True)
        data_batch['inputs'] = self.draw.augment(images, draws)
