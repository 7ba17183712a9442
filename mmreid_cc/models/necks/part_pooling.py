"""Pooling of an image and of its parts."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class PartPooling(BaseModule):
    """Average a map as a whole, and in horizontal stripes, side by side.

    The head's BN neck treats every channel by itself, so each part has a BN neck of its
    own, and an embedding is the vector of the image, then those of its stripes from top
    to bottom. ``head.in_channels`` is (1 + P) · C.

    Args:
        num_parts (int): P, stripes of equal height, at least 1. Defaults to 3.

    Raises:
        ValueError: If there is no part, or the backbone returns no map.

    References:
        Uniform partition: Sun et al., *Beyond Part Models* (ECCV 2018); as PPLR (Cho et
        al., CVPR 2022) has it, without a layer for each part.

    Examples:
        >>> PartPooling(num_parts=3)(torch.rand(2, 512, 24, 8)).shape
        torch.Size([2, 2048])
    """

    def __init__(self, num_parts: int = 3) -> None:
        super().__init__()
        if num_parts < 1:
            raise ValueError(
                f'PartPooling: num_parts must be at least 1, not {num_parts}'
            )
        self.num_parts = num_parts

    def forward(self, inputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Pool the last of the inputs.

        Args:
            inputs (Tensor | tuple[Tensor]): Outputs of the backbone, (B, C, H, W).

        Returns:
            Tensor: Shape (B, (1 + P) · C).
        """
        feat = inputs[-1] if isinstance(inputs, (tuple, list)) else inputs
        if feat.ndim != 4:
            raise ValueError(
                'PartPooling divides maps (B, C, H, W), and the backbone returns shape '
                f'{tuple(feat.shape)}. Let it return a map, e.g. by '
                '`out_type="featmap"` of a ViT.'
            )
        stripes = F.adaptive_avg_pool2d(feat, (self.num_parts, 1)).squeeze(3)
        whole = feat.mean(dim=(2, 3))
        return torch.cat([whole, stripes.transpose(1, 2).flatten(1)], dim=1)
