"""Market-1501."""

from mmreid_cc.registry import DATASETS

from .reid_dataset import ReIDDataset


@DATASETS.register_module()
class Market1501(ReIDDataset):
    """Market-1501 (Zheng et al., *Scalable Person Re-identification*, ICCV 2015).

    .. code-block:: none

        Market-1501-v15.09.15
        ├── bounding_box_train/   12,936 images, 751 identities, 6 cameras
        ├── query/                 3,368 images, 750 identities, 6 cameras
        └── bounding_box_test/    15,913 images, 750 identities and distractors,
                                  6 cameras; 3,819 junk images more, left out

    File names are ``0002_c1s1_000451_03.jpg``: identity, camera and sequence, frame,
    box. Identity −1 is junk, 0 a distractor. Arguments as :class:`ReIDDataset`.

    Examples:
        >>> from mmreid_cc.datasets import Market1501
        >>> Market1501('data/market1501')
        Market1501 train of data/market1501: 12936 images, 751 identities, 6 cameras
    """

    COUNTS = {
        'train': dict(images=(12936,), identities=(751,), cameras=(6,)),
        'query': dict(images=(3368,), identities=(750,), cameras=(6,)),
        'gallery': dict(images=(15913,), identities=(750,), cameras=(6,)),
    }
