"""The Swin Transformer of SOLIDER."""

from typing import Any

import torch.nn.functional as F
from mmpretrain.models import SwinTransformer
from torch import Tensor, nn

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class SOLIDERSwin(SwinTransformer):
    r"""``mmpretrain.SwinTransformer`` whose maps weigh semantics against appearance.

    After each stage but the last, every channel of the map is scaled and shifted,
    :math:`x \leftarrow \mathrm{softplus}(A\,\lambda)\,x + B\,\lambda`, where
    :math:`\lambda = (\lambda_s, 1 - \lambda_s)` and A and B are pre-trained and stay as
    they are. ``tools/model_converters/convert.py solider`` converts the authors'
    weights.

    Args:
        arch (str | dict): As in ``mmpretrain.SwinTransformer``. Defaults to ``'tiny'``.
        semantic_weight (float): :math:`\lambda_s`, in [0, 1]: 1 for meaning, e.g. for
            parsing, 0 for appearance. Defaults to 0.2, the authors' for re-ID.
        **kwargs: As ``mmpretrain.SwinTransformer``.

    Raises:
        ValueError: If ``semantic_weight`` is out of range.

    References:
        Chen et al., *Beyond Appearance: a Semantic Controllable Self-Supervised
        Learning Framework for Human-Centric Visual Tasks* (CVPR 2023, arXiv
        2303.17602), and its public code.

    Examples:
        .. code:: python

            backbone = dict(
                _delete_=True, type='SOLIDERSwin', arch='tiny', img_size=(256, 128),
                pad_small_map=True)
    """

    def __init__(
        self,
        arch: str | dict = 'tiny',
        semantic_weight: float = 0.2,
        **kwargs: Any,
    ) -> None:
        if not 0 <= semantic_weight <= 1:
            raise ValueError(
                f'SOLIDERSwin: semantic_weight must be in [0, 1], not {semantic_weight}'
            )
        super().__init__(arch, **kwargs)
        self.semantic_weight = semantic_weight
        widths = self.num_features[1:]
        self.semantic_embed_w = nn.ModuleList(map(_kept_linear, widths))
        self.semantic_embed_b = nn.ModuleList(map(_kept_linear, widths))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the maps of the stages in ``out_indices``.

        Args:
            x (Tensor): Shape (B, 3, H, W).

        Returns:
            tuple[Tensor]: Shape (B, C, H', W') each.
        """
        x, shape = self.patch_embed(x)
        x = self.drop_after_pos(x)
        share = x.new_tensor([self.semantic_weight, 1 - self.semantic_weight])
        outs = []
        for number, stage in enumerate(self.stages):
            x, shape = stage(x, shape, do_downsample=False)
            if number in self.out_indices:
                out = getattr(self, f'norm{number}')(x)
                out = out.unflatten(1, shape).permute(0, 3, 1, 2)
                outs.append(out.contiguous())
            if stage.downsample is not None:
                x, shape = stage.downsample(x, shape)
                scale = F.softplus(self.semantic_embed_w[number](share))
                x = x * scale + self.semantic_embed_b[number](share)
        return tuple(outs)


def _kept_linear(width: int) -> nn.Linear:
    """Create a linear map, not trained, from both weights to the channels of a map."""
    layer = nn.Linear(2, width).requires_grad_(False)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer
