"""PersonX."""

from mmreid_cc.registry import DATASETS

from .reid_dataset import ReIDDataset


@DATASETS.register_module()
class PersonX(ReIDDataset):
    """PersonX, people rendered by a game engine (Sun and Zheng, CVPR 2019).

    .. code-block:: none

        PersonX
        ├── bounding_box_train/    9,840 images, 410 identities, 6 cameras
        ├── query/                 5,136 images, 856 identities, 6 cameras
        └── bounding_box_test/    30,816 images, 856 identities, 6 cameras

    File names begin with ``0001_c3_``: identity, camera. The cameras are numbered 3, 4,
    8, 10, 11 and 12, and keep these numbers. Arguments as :class:`ReIDDataset`.

    Examples:
        >>> from mmreid_cc.datasets import PersonX
        >>> PersonX('data/PersonX')
        PersonX train of data/PersonX: 9840 images, 410 identities, 6 cameras
    """

    COUNTS = {
        'train': dict(images=(9840,), identities=(410,), cameras=(6,)),
        'query': dict(images=(5136,), identities=(856,), cameras=(6,)),
        'gallery': dict(images=(30816,), identities=(856,), cameras=(6,)),
    }
