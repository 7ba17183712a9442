"""Two networks, each of which sees its own view of an image."""

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmreid_cc.registry import MODELS

from .taught_classifier import TaughtClassifier


@MODELS.register_module()
class MutualClassifier(TaughtClassifier):
    """A :class:`TaughtClassifier` around :class:`Twins`.

    If there are two views of an image, each of the twins sees one of them, and so does
    each of the twins of the teacher. With one view, all see the same. Its arguments are
    those of ``mmpretrain.ImageClassifier``.

    Examples:
        .. code:: python

            model = dict(
                type='MutualClassifier',
                backbone=dict(type='Twins', networks=[network, network]),
                head=dict(in_channels=4096, memory=dict(type='MutualMemory')), ...)
            custom_hooks = [dict(type='TeacherHook')]
    """

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Compute the losses of a batch, see :class:`TaughtClassifier`."""
        views = inputs.unflatten(0, (-1, len(data_samples)))
        return super().loss(torch.cat(list(views), dim=1), data_samples)
