"""The Vision Transformer of PASS, with tokens of body parts."""

from typing import Any

import torch
from mmpretrain.models import VisionTransformer
from torch import Tensor, nn

from mmreid_cc.registry import MODELS

NUM_PARTS = 3


@MODELS.register_module()
class PASSVisionTransformer(VisionTransformer):
    """``mmpretrain.VisionTransformer`` with a token for each of three body parts.

    The tokens stand beside the class token, and like it have positions of their own.
    The feature of an image is the class token, followed by the mean of the part tokens:
    twice the width of the network. ``tools/model_converters/convert.py pass`` converts
    the authors' weights.

    Args:
        arch (str | dict): As in ``mmpretrain.VisionTransformer``.
            Defaults to ``'deit-small'``, the ViT-S/16 of PASS.
        img_size (tuple[int, int]): Height and width for which the position embedding is
            kept. Defaults to (256, 128).
        **kwargs: As ``mmpretrain.VisionTransformer``.

    References:
        Zhu et al., *PASS: Part-Aware Self-Supervised Pre-Training for Person
        Re-Identification* (ECCV 2022, arXiv 2203.03931), and its public code.

    Examples:
        .. code:: python

            model = dict(
                backbone=dict(_delete_=True, type='PASSVisionTransformer'),
                neck=None,
                head=dict(in_channels=768))
    """

    num_extra_tokens = 1 + NUM_PARTS

    def __init__(
        self,
        arch: str | dict = 'deit-small',
        img_size: tuple[int, int] = (256, 128),
        **kwargs: Any,
    ) -> None:
        super().__init__(arch, img_size=img_size, **kwargs)
        self.cls_token = nn.Parameter(
            torch.zeros(1, self.num_extra_tokens, self.embed_dims)
        )

    def _format_output(self, x: Tensor, hw: tuple[int, int]) -> Tensor:
        """Class token and mean part token, shape (B, 2 C); as usual for a map."""
        if self.out_type != 'cls_token':
            return super()._format_output(x, hw)
        return torch.cat([x[:, 0], x[:, 1 : self.num_extra_tokens].mean(dim=1)], dim=1)
