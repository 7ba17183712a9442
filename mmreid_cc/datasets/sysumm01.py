"""SYSU-MM01: visible and infrared cameras."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mmreid_cc.registry import DATASETS

from .crops import Crop, list_images, read_text
from .reid_dataset import ReIDDataset

VISIBLE, INFRARED = (1, 2, 4, 5), (3, 6)
INDOOR = (1, 2)
LISTS = {
    'train': ('exp/train_id.txt', 'exp/val_id.txt'),
    'query': ('exp/test_id.txt',),
    'gallery': ('exp/test_id.txt',),
}


@DATASETS.register_module()
class SYSUMM01(ReIDDataset):
    """SYSU-MM01 (Wu et al., *RGB-Infrared Cross-Modality Person Re-Id.*, ICCV 2017).

    .. code-block:: none

        SYSU-MM01
        ├── exp/{train,val,test}_id.txt   identities, with commas between them
        ├── cam1/0001/0001.jpg            visible: cameras 1, 2 (indoor), 4, 5 (outdoor)
        ├── …
        └── cam6/                         infrared: cameras 3 (indoor), 6 (outdoor)

        train: 395 identities (train and val), 6 cameras
        query: 3,803 infrared images of 96 identities, cameras 3 and 6
        gallery: their visible images, of which a trial draws some: SYSUMetric

    Folders of other cameras are not read.

    Args:
        data_root (str): Folder of the data set.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms of an image.
        search (str): The gallery: ``'all'`` visible cameras, or the ``'indoor'`` ones,
            1 and 2. Defaults to ``'all'``.

    Raises:
        FileNotFoundError: If a folder or list is missing.
        ValueError: If an argument or a list is invalid, or the training set has no
            images of a modality.

    Examples:
        >>> from mmreid_cc.datasets import SYSUMM01
        >>> SYSUMM01('data/SYSU-MM01').column('cam_id').max()
        6
    """

    COUNTS = {
        'train': dict(identities=(395,), cameras=(6,)),
        'query': dict(images=(3803,), identities=(96,), cameras=(2,)),
        'gallery': dict(identities=(96,)),
    }
    DISTRACTOR = None

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        pipeline: Sequence[dict | Callable] = (),
        search: str = 'all',
    ) -> None:
        if search not in ('all', 'indoor'):
            raise ValueError(
                f"SYSUMM01: search must be 'all' or 'indoor', not {search!r}"
            )
        self.search = search
        super().__init__(data_root, split, pipeline)

    def load_part(self, part: str) -> list[Crop]:
        """Read one part, camera by camera."""
        root = self.find_root('exp')
        pids = [pid for name in LISTS[part] for pid in read_identities(root / name)]
        visible = INDOOR if self.search == 'indoor' else VISIBLE
        cameras = {'train': VISIBLE + INFRARED, 'query': INFRARED, 'gallery': visible}
        crops = [
            Crop(str(path), pid, camera)
            for camera in sorted(cameras[part])
            for pid in sorted(pids)
            if (folder := root / f'cam{camera}' / f'{pid:04d}').is_dir()
            for path in list_images(folder)
        ]
        for name, modality in (('visible', VISIBLE), ('infrared', INFRARED)):
            if part == 'train' and not any(crop.cam_id in modality for crop in crops):
                raise ValueError(
                    f'SYSUMM01: {root} has no {name} image of a training identity, in '
                    f'the folders of cameras {", ".join(map(str, modality))}.'
                )
        return crops


def read_identities(file: Path) -> list[int]:
    """Read the identities of a list.

    Args:
        file (Path): Numbers, with commas between them.

    Returns:
        list[int]: The numbers.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If something else stands in it.
    """
    if not file.is_file():
        raise FileNotFoundError(
            f'SYSUMM01: there is no {file}. Set `data_root` of the data set to the '
            'folder that you unpacked, with exp/ and cam1/ to cam6/.'
        )
    texts = read_text(file).replace('\n', ',').split(',')
    texts = [text.strip() for text in texts if text.strip()]
    strange = [text for text in texts if not text.isdigit()]
    if strange:
        raise ValueError(
            f'{file}: expected identities such as 1,2,5, found {strange[0]!r}.'
        )
    return [int(text) for text in texts]
