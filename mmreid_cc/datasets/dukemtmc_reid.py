"""DukeMTMC-reID."""

from mmreid_cc.registry import DATASETS

from .reid_dataset import ReIDDataset


@DATASETS.register_module()
class DukeMTMCreID(ReIDDataset):
    """DukeMTMC-reID (Zheng et al., ICCV 2017; Ristani et al., ECCV workshops 2016).

    .. note::
        The authors of DukeMTMC withdrew it in 2019, because the people in it had not
        been asked. This class is for those who must compare with published tables;
        please do not collect new results on it.

    .. code-block:: none

        DukeMTMC-reID
        ├── bounding_box_train/   16,522 images,   702 identities, 8 cameras
        ├── query/                 2,228 images,   702 identities, 8 cameras
        └── bounding_box_test/    17,661 images, 1,110 identities, 8 cameras
                                  (408 of them have no query)

    File names are ``0001_c2_f0046182.jpg``: identity, camera, frame. Arguments as
    :class:`ReIDDataset`.

    Examples:
        >>> from mmreid_cc.datasets import DukeMTMCreID
        >>> DukeMTMCreID('data/duke')
        DukeMTMCreID train of data/duke: 16522 images, 702 identities, 8 cameras
    """

    COUNTS = {
        'train': dict(images=(16522,), identities=(702,), cameras=(8,)),
        'query': dict(images=(2228,), identities=(702,), cameras=(8,)),
        'gallery': dict(images=(17661,), identities=(1110,), cameras=(8,)),
    }
