"""A backbone that trains in milliseconds; importing this module registers it."""

from torch import nn

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class TinyBackbone(nn.Sequential):
    """A convolution."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 16, 8, stride=8), nn.BatchNorm2d(16), nn.ReLU(inplace=True)
        )
