"""Re-ID data sets, their transforms and samplers."""

from .. import registry  # noqa: F401  imports mmpretrain without its notices
from .adaptation import AdaptationReID, source_classes
from .collating import collate_views
from .dukemtmc_reid import DukeMTMCreID
from .image_folder import ReIDImageFolder
from .joint import JointReID
from .label_files import read_labels, write_labels
from .labelled import LabelledReID
from .market1501 import Market1501
from .msmt17 import MSMT17
from .personx import PersonX
from .regdb import RegDB
from .reid_dataset import ReIDDataset
from .samplers import (
    HybridSampler,
    ModalityBalancedSampler,
    ProxyBalancedSampler,
    RandomIdentitySampler,
    RandomMultipleGallerySampler,
)
from .synthetic import SyntheticReID
from .synthetic_scene import SyntheticScene
from .sysumm01 import SYSUMM01
from .transforms import (
    ChannelAugmentation,
    LoadReIDImage,
    PadAndCrop,
    ReIDRandomErasing,
)
from .veri776 import VeRi776

__all__ = [
    'MSMT17',
    'SYSUMM01',
    'AdaptationReID',
    'ChannelAugmentation',
    'DukeMTMCreID',
    'HybridSampler',
    'JointReID',
    'LabelledReID',
    'LoadReIDImage',
    'Market1501',
    'ModalityBalancedSampler',
    'PadAndCrop',
    'PersonX',
    'ProxyBalancedSampler',
    'RandomIdentitySampler',
    'RandomMultipleGallerySampler',
    'ReIDDataset',
    'ReIDImageFolder',
    'ReIDRandomErasing',
    'RegDB',
    'SyntheticReID',
    'SyntheticScene',
    'VeRi776',
    'collate_views',
    'read_labels',
    'source_classes',
    'write_labels',
]
