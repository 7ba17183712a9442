"""A network that learns from several views of an image at once."""

from typing import Any

from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class MultiViewClassifier(ImageClassifier):
    """An ``ImageClassifier`` for which every view of an image is an image of a batch.

    The views of an image, made by ``MultiView`` in the training pipeline and
    :func:`collate_views`, are queries like others: each is contrasted with the memory,
    and each moves a vector of it, one view after the other. They stay together, so that
    the batch may be shared by processes.

    Args:
        num_views (int): Views of an image, from 1 on.
        **kwargs: As ``mmpretrain.ImageClassifier``.

    Raises:
        ValueError: If ``num_views`` is out of range, or a batch has another number of
            views.

    Examples:
        .. code:: python

            model = dict(type='MultiViewClassifier', num_views=2, ...)
            train_dataloader = dict(collate_fn=dict(type='collate_views'), ...)
    """

    def __init__(self, num_views: int, **kwargs: Any) -> None:
        if num_views < 1:
            raise ValueError(f'num_views must be at least 1, not {num_views}')
        super().__init__(**kwargs)
        self.num_views = num_views

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """The losses of a batch.

        Args:
            inputs (Tensor): V views of B images, first those of the first view, shape
                (V · B, 3, H, W).
            data_samples (list[DataSample]): B of them, with ``sample_idx``.

        Returns:
            dict[str, Tensor]: Scalars by name.
        """
        if len(inputs) != self.num_views * len(data_samples):
            raise ValueError(
                f'MultiViewClassifier has num_views={self.num_views}, but a batch of '
                f'{len(data_samples)} images has {len(inputs)} views. Make as many '
                'views by `MultiView` in the pipeline of `train_dataloader.dataset`, '
                'and set `train_dataloader.collate_fn` to `dict(type="collate_views")`.'
            )
        views = inputs.unflatten(0, (self.num_views, -1))
        samples = [sample for sample in data_samples for _ in range(self.num_views)]
        return super().loss(views.transpose(0, 1).flatten(0, 1), samples)
