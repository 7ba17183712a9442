"""Backbones that mmpretrain lacks."""

from .fastreid_resnet import FastReIDResNet, FastReIDResNetIBN
from .ibn import InstanceBatchNorm
from .ics_vision_transformer import IBNConvStem, ICSVisionTransformer
from .osnet import OSNet
from .pass_vision_transformer import PASSVisionTransformer
from .pooled_timm_backbone import PooledTIMMBackbone
from .resnet_ibn import ResNetIBN
from .solider_swin import SOLIDERSwin
from .twins import Twins

__all__ = [
    'FastReIDResNet',
    'FastReIDResNetIBN',
    'IBNConvStem',
    'ICSVisionTransformer',
    'InstanceBatchNorm',
    'OSNet',
    'PASSVisionTransformer',
    'PooledTIMMBackbone',
    'ResNetIBN',
    'SOLIDERSwin',
    'Twins',
]
