"""ResNet and IBN-ResNet with the first pooling of fast-reid, for weights trained there.

fast-reid 1.x pools without padding and rounds up: the map has the same size, but its
windows begin one pixel later, and the weights give other features elsewhere. Its early
versions pooled as torchvision does: their weights are for ``ResNet`` and ``ResNetIBN``.
"""

from mmpretrain.models import ResNet
from torch import nn

from mmreid_cc.registry import MODELS

from .resnet_ibn import ResNetIBN


def _pooling() -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)


@MODELS.register_module()
class FastReIDResNet(ResNet):
    """``mmpretrain.ResNet`` as fast-reid 1.x has it (``build_resnet_backbone``).

    Arguments and output as there.

    Examples:
        .. code:: python

            model = dict(backbone=dict(
                type='FastReIDResNet', depth=50, strides=(1, 2, 2, 1)))
    """

    def _make_stem_layer(self, in_channels: int, stem_channels: int) -> None:
        super()._make_stem_layer(in_channels, stem_channels)
        self.maxpool = _pooling()


@MODELS.register_module()
class FastReIDResNetIBN(ResNetIBN):
    """:class:`ResNetIBN` as fast-reid 1.x has it (``WITH_IBN: True``)."""

    def _make_stem_layer(self, in_channels: int, stem_channels: int) -> None:
        super()._make_stem_layer(in_channels, stem_channels)
        self.maxpool = _pooling()
