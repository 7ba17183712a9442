"""OSNet: omni-scale features with few parameters."""

from itertools import pairwise
from typing import ClassVar

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmpretrain.models import SELayer
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import Tensor, nn

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class OSNet(BaseBackbone):
    """The omni-scale network, which re-ID parts of trackers use.

    Two convolutions of stride 2 and two poolings: the map is 1/16 of the image. Its
    width is 512 × ``widen_factor``; in :class:`ImageClassifier` torchreid's embedding
    (average pooling, a linear layer with 512 channels, BN, ReLU) is mmpretrain's
    ``LinearNeck``, as below. ``tools/model_converters/convert.py`` converts
    torchreid's weights.

    Args:
        widen_factor (float): 0.25, 0.5, 0.75 or 1. Defaults to 1.
        norm_cfg (dict, optional): Config of the norm layers. Defaults to None:
            ``dict(type='BN')``.
        init_cfg (dict | list, optional): Initialisation. Defaults to None: Kaiming
            normal (fan out) for convolutions, 1 for norm layers.

    Raises:
        ValueError: If there is no such width.

    References:
        Zhou et al., *Omni-Scale Feature Learning for Person Re-Identification*, ICCV
        2019, section 3.

    Examples:
        .. code:: python

            model = dict(
                type='ImageClassifier',
                backbone=dict(type='OSNet', widen_factor=0.25),
                neck=dict(
                    type='LinearNeck', in_channels=128, out_channels=512, gap_dim=2,
                    norm_cfg=dict(type='BN1d'), act_cfg=dict(type='ReLU')),
                head=dict(
                    type='ClusterContrastHead', in_channels=512,
                    memory=dict(type='ClusterMemory')))

        >>> OSNet(0.25)(torch.randn(2, 3, 256, 128))[0].shape
        torch.Size([2, 128, 16, 8])
    """

    WIDTHS: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75, 1)
    CHANNELS: ClassVar[tuple[int, ...]] = (64, 256, 384, 512)

    def __init__(
        self,
        widen_factor: float = 1,
        norm_cfg: dict | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        default = [
            dict(type='Kaiming', layer='Conv2d'),
            dict(type='Constant', val=1, layer='_BatchNorm'),
        ]
        super().__init__(init_cfg or default)
        if widen_factor not in self.WIDTHS:
            raise ValueError(
                f'OSNet: widen_factor must be in {self.WIDTHS}, not {widen_factor}'
            )
        norm_cfg = norm_cfg or dict(type='BN')
        channels = [int(width * widen_factor) for width in self.CHANNELS]
        self.stem = nn.Sequential(
            ConvModule(3, channels[0], 7, stride=2, padding=3, norm_cfg=norm_cfg),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stages = nn.Sequential()
        for index, (in_channels, out_channels) in enumerate(pairwise(channels)):
            stage = nn.Sequential(
                OSBlock(in_channels, out_channels, norm_cfg),
                OSBlock(out_channels, out_channels, norm_cfg),
            )
            if index < 2:
                stage.append(
                    ConvModule(out_channels, out_channels, 1, norm_cfg=norm_cfg)
                )
                stage.append(nn.AvgPool2d(2, stride=2))
            self.stages.append(stage)
        self.last = ConvModule(channels[-1], channels[-1], 1, norm_cfg=norm_cfg)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute the map of the last layer.

        Args:
            x (Tensor): Images, shape (B, 3, H, W).

        Returns:
            tuple[Tensor]: One map (B, 512 · ``widen_factor``, H / 16, W / 16).
        """
        return (self.last(self.stages(self.stem(x))),)


class OSBlock(BaseModule):
    """A residual bottleneck with four streams of receptive fields 3, 5, 7 and 9.

    One gate, shared by the streams, weighs their channels before they are added (the
    "unified aggregation gate" of the paper).

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output; the streams have a quarter of it.
        norm_cfg (dict): Config of the norm layers.
    """

    def __init__(self, in_channels: int, out_channels: int, norm_cfg: dict) -> None:
        super().__init__()
        width = out_channels // 4
        linear = dict(norm_cfg=norm_cfg, act_cfg=None)
        self.reduce = ConvModule(in_channels, width, 1, norm_cfg=norm_cfg)
        self.streams = nn.ModuleList(
            nn.Sequential(*(LiteConv(width, norm_cfg) for _ in range(length)))
            for length in (1, 2, 3, 4)
        )
        self.gate = SELayer(width, squeeze_channels=width // 16)
        self.expand = ConvModule(width, out_channels, 1, **linear)
        self.downsample: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.downsample = ConvModule(in_channels, out_channels, 1, **linear)

    def forward(self, x: Tensor) -> Tensor:
        """Map shape (B, in, H, W) to (B, out, H, W)."""
        reduced = self.reduce(x)
        scales = [self.gate(stream(reduced)) for stream in self.streams]
        summed = self.expand(torch.stack(scales).sum(dim=0))
        return torch.relu(summed + self.downsample(x))


class LiteConv(BaseModule):
    """A 3 × 3 convolution in two: pointwise, then depthwise; BN and ReLU at the end.

    Args:
        channels (int): Channels of input and output.
        norm_cfg (dict): Config of the norm layer.
    """

    def __init__(self, channels: int, norm_cfg: dict) -> None:
        super().__init__()
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.depthwise = ConvModule(
            channels, channels, 3, padding=1, groups=channels, norm_cfg=norm_cfg
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map shape (B, C, H, W) to (B, C, H, W)."""
        return self.depthwise(self.pointwise(x))
