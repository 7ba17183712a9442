"""GeM pooling that leaves vectors as they are."""

from mmpretrain.models import GeneralizedMeanPooling as MapPooling
from torch import Tensor

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class GeneralizedMeanPooling(MapPooling):
    """``mmpretrain.GeneralizedMeanPooling``, also for backbones that pool themselves.

    Maps (B, C, H, W) are pooled to (B, C), with p trained. Vectors (B, C), as ViT gives
    them, pass through, so that a backbone is swapped without touching the neck.

    Args:
        p (float): Power of the mean: 1 is the average, ∞ the maximum. Defaults to 3.
        eps (float): Smallest activation. Defaults to 1e-6.
        clamp (bool): Whether activations are clamped to ``eps``. Defaults to True.
        p_trainable (bool): Defaults to True.

    References:
        Radenović et al., *Fine-tuning CNN Image Retrieval with No Human Annotation*,
        TPAMI 2019, section 3.2.

    Examples:
        .. code:: python

            neck=dict(type='GeneralizedMeanPooling', p=3.0)
    """

    def forward(self, inputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Pool the last of the inputs.

        Args:
            inputs (Tensor | tuple[Tensor]): Of the backbone.

        Returns:
            Tensor: Shape (B, C).
        """
        feat = inputs[-1] if isinstance(inputs, (tuple, list)) else inputs
        return feat if feat.ndim == 2 else super().forward(feat)
