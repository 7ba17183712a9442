"""GeM pooling that leaves vectors as they are."""

from mmpretrain.models import GeneralizedMeanPooling as MapPooling
from torch import Tensor

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class GeneralizedMeanPooling(MapPooling):
    """``mmpretrain.GeneralizedMeanPooling``, also for backbones that pool themselves.

    Maps (B, C, H, W) are pooled to (B, C), with a trained p. Vectors (B, C), which a
    ViT returns, pass through, so that you can change the backbone without changing the
    neck. Anything else passes through, too, and the head refuses it.

    Numbers below ``eps`` count as ``eps``. Average the maps of networks that end in a
    normalisation, such as Swin, by ``GlobalAveragePooling`` instead.

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

    def forward(
        self, inputs: Tensor | tuple[Tensor, ...]
    ) -> Tensor | tuple[Tensor, ...]:
        """Pool the last of the inputs.

        Args:
            inputs (Tensor | tuple[Tensor]): Outputs of the backbone.

        Returns:
            Tensor: Shape (B, C), or the inputs where they are neither map nor vector.
        """
        feat = inputs[-1] if isinstance(inputs, (tuple, list)) else inputs
        if not isinstance(feat, Tensor):
            return inputs
        if feat.ndim == 4:
            return super().forward(feat)
        # DDP waits for a gradient of every parameter, so p gets one: zero.
        return feat + 0 * self.p if self.p.requires_grad else feat
