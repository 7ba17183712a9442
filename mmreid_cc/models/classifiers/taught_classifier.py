"""A network that also learns from an average of its own weights."""

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class TaughtClassifier(ImageClassifier):
    """An ``ImageClassifier`` whose memory also gets a teacher's embeddings of a batch.

    The teacher is an average of the weights of this network, see :class:`TeacherHook`,
    which sets it. It embeds every batch without gradients and in training mode, i.e. by
    the batch norm statistics of the batch, and in the same groups as this network. Its
    embeddings are passed to the memory, see :meth:`TaughtMemory.contrast_taught`.

    If the training pipeline makes several views of an image (``MultiView``, and
    :func:`collate_views` for the batch), this network sees the first of them, and the
    teacher sees the others.

    Its arguments are those of ``mmpretrain.ImageClassifier``.

    Raises:
        RuntimeError: If it is trained without a teacher.

    Examples:
        .. code:: python

            model = dict(
                type='TaughtClassifier',
                head=dict(memory=dict(type='MeanTeacherMemory')), ...)
            custom_hooks = [dict(type='TeacherHook')]
    """

    teacher: ImageClassifier | None = None  # set by `set_teacher`

    def set_teacher(self, teacher: ImageClassifier) -> None:
        """Set the teacher, whose weights do not become weights of this network.

        Args:
            teacher (nn.Module): A network of the same architecture.
        """
        # Not by `setattr`, which would add its weights to those of this network.
        object.__setattr__(self, 'teacher', teacher.train())

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Compute the losses of a batch.

        Args:
            inputs (Tensor): B images, shape (B, 3, H, W); or V views of each, shape
                (V · B, 3, H, W), beginning with the B images of the first view.
            data_samples (list[DataSample]): B of them, with ``sample_idx``.

        Returns:
            dict[str, Tensor]: Scalars by name.
        """
        if self.teacher is None:
            raise RuntimeError(
                'TaughtClassifier has no teacher. Add '
                '`custom_hooks=[dict(type="TeacherHook")]` to the config.'
            )
        views = inputs.unflatten(0, (-1, len(data_samples)))
        others = views[1:] if len(views) > 1 else views
        with torch.no_grad():
            taught = torch.stack([self.teacher(view) for view in others])
        return self.head.loss(self.extract_feat(views[0]), data_samples, taught)
