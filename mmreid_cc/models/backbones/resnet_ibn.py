"""ResNet with IBN-a layers."""

from mmpretrain.models import ResNet
from mmpretrain.models.backbones.resnet import ResLayer

from mmreid_cc.registry import MODELS

from .ibn import InstanceBatchNorm


@MODELS.register_module()
class ResNetIBN(ResNet):
    """IBN-ResNet-a: instance and batch norm after the first convolution of blocks.

    ``mmpretrain.ResNet`` in everything else: the same arguments, the same tuple of maps
    as output, 2048 channels in the last. The blocks of the first three stages have
    :class:`InstanceBatchNorm` as ``bn1``; deep features tell classes apart, so that the
    fourth stage keeps batch norm. The authors' ImageNet weights load as they are.

    Args:
        depth (int): 50 or 101.

    Raises:
        KeyError: If there is no such depth.

    References:
        Pan et al., *Two at Once: Enhancing Learning and Generalization Capacities via
        IBN-Net*, ECCV 2018 (IBN-Net-a).

    Examples:
        .. code:: python

            model = dict(backbone=dict(
                type='ResNetIBN', depth=50, strides=(1, 2, 2, 1)))
    """

    arch_settings = {depth: ResNet.arch_settings[depth] for depth in (50, 101)}

    def make_res_layer(self, **arguments: object) -> ResLayer:
        """Build a stage; those before the fourth get IBN layers."""
        layer = super().make_res_layer(**arguments)
        stage = len(self.res_layers)
        if stage < 3:
            for block in layer:
                norm = InstanceBatchNorm(block.mid_channels, self.norm_cfg)
                setattr(block, block.norm1_name, norm)
        return layer
