"""VeRi-776."""

from mmreid_cc.registry import DATASETS

from .reid_dataset import ReIDDataset


@DATASETS.register_module()
class VeRi776(ReIDDataset):
    """VeRi-776, vehicles (Liu et al., ECCV 2016; IEEE TMM 2018).

    .. code-block:: none

        VeRi
        ├── image_train/   37,746 images, 575 identities, 20 cameras
        ├── image_query/    1,678 images, 200 identities, 19 cameras
        └── image_test/    11,579 images, 200 identities, 19 cameras

    The paper counts 37,778 training images and 576 identities; both are accepted. File
    names are ``0001_c001_00016450_0.jpg``: identity, camera, time, box. Arguments as
    :class:`ReIDDataset`.

    Examples:
        >>> from mmreid_cc.datasets import VeRi776
        >>> VeRi776('data/VeRi')
        VeRi776 train of data/VeRi: 37746 images, 575 identities, 20 cameras
    """

    FOLDERS = {'train': 'image_train', 'query': 'image_query', 'gallery': 'image_test'}
    COUNTS = {
        'train': dict(images=(37746, 37778), identities=(575, 576), cameras=(20,)),
        'query': dict(images=(1678,), identities=(200,), cameras=(19, 20)),
        'gallery': dict(images=(11579,), identities=(200,), cameras=(19, 20)),
    }
