"""Networks of timm that pool their features themselves."""

from pathlib import Path
from typing import Any

from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.utils import require
from torch import Tensor

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class PooledTIMMBackbone(BaseBackbone):
    """A network of timm without its classifier, with the pooling it was trained with.

    mmpretrain's ``TIMMBackbone`` returns maps. They suit a CNN, but for a Vision
    Transformer they lack the last normalisation and the class token (CLIP, DINOv3) or
    the attention (SigLIP) by which its weights describe an image. This class returns
    the vector that timm's classifier would see.

    Args:
        model_name (str): Name in timm, e.g. ``'vit_small_patch16_dinov3'``.
        pretrained (bool | str): True to download timm's weights, or a file of weights,
            under timm's names or the authors' where timm knows them. Position
            embeddings are resized to ``img_size``. Defaults to False.
        init_cfg (dict, optional): Initialisation by MMEngine, for weights that this
            project has saved.
        **kwargs: As ``timm.create_model``: ``img_size``, ``global_pool``, and others.

    Raises:
        FileNotFoundError: If ``pretrained`` is not a file.

    Examples:
        .. code:: python

            dinov3 = dict(
                _delete_=True, type='PooledTIMMBackbone',
                model_name='vit_small_patch16_dinov3', global_pool='token',
                img_size=(256, 128), pretrained='weights/dinov3_vits16.pth')
            model = dict(backbone=dinov3, head=dict(in_channels=384))
    """

    @require('timm')
    def __init__(
        self,
        model_name: str,
        pretrained: bool | str = False,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ) -> None:
        import timm

        super().__init__(init_cfg)
        if isinstance(pretrained, str):
            if not Path(pretrained).is_file():
                raise FileNotFoundError(
                    f'PooledTIMMBackbone: pretrained={pretrained!r} is not a file.'
                )
            kwargs['pretrained_cfg_overlay'] = dict(file=pretrained)
        self.timm_model = timm.create_model(
            model_name, pretrained=bool(pretrained), num_classes=0, **kwargs
        )
        if pretrained:
            self._is_init = True  # MMEngine would draw the weights once more

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Vectors (B, C) of images (B, 3, H, W), in a tuple as mmpretrain expects."""
        return (self.timm_model(x),)
