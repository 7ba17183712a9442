"""Two backbones side by side."""

import torch
from mmengine.model import BaseModule, ModuleList
from torch import Tensor

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class Twins(BaseModule):
    """Two backbones, whose maps are joined channel by channel.

    Pooling and BN neck treat every channel by itself, so that behind them there are two
    networks, which share nothing: the first half of an embedding is that of the first,
    the second half that of the second, and a cosine of two embeddings is about the mean
    of both. ``head.in_channels`` is the sum of both.

    Images of 3 channels are seen by both. If images have 6 channels, each network sees
    three of them, see :class:`MutualClassifier`.

    Args:
        networks (list[dict]): Configs of two backbones, which differ where they start.
        init_cfg (dict, optional): Defaults to None: each as its config says.

    Raises:
        ValueError: If there are not two.

    Examples:
        .. code:: python

            network = dict(type='ResNet', depth=50, strides=(1, 2, 2, 1))
            backbone = dict(type='Twins', networks=[network, network])
    """

    def __init__(self, networks: list[dict], init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if len(networks) != 2:
            raise ValueError(f'Twins: `networks` must be two, not {len(networks)}')
        self.networks = ModuleList([MODELS.build(network) for network in networks])

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Compute the maps of both backbones.

        Args:
            inputs (Tensor): Shape (B, 3, H, W) or (B, 6, H, W).

        Returns:
            tuple[Tensor]: One map, shape (B, C₁ + C₂, H', W').
        """
        seen = inputs.chunk(2, dim=1) if inputs.shape[1] == 6 else (inputs, inputs)
        maps = []
        for network, images in zip(self.networks, seen, strict=True):
            output = network(images)
            maps.append(output[-1] if isinstance(output, (tuple, list)) else output)
        return (torch.cat(maps, dim=1),)
