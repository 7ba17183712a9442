"""MSMT17, in each of its layouts."""

from pathlib import Path

from mmreid_cc.registry import DATASETS

from .crops import Crop, read_text
from .reid_dataset import ReIDDataset

LISTS = {
    'train': ('list_train.txt', 'list_val.txt'),
    'query': ('list_query.txt',),
    'gallery': ('list_gallery.txt',),
}


@DATASETS.register_module()
class MSMT17(ReIDDataset):
    """MSMT17 (Wei et al., *Person Transfer GAN*, CVPR 2018), version 1 or 2.

    .. code-block:: none

        MSMT17_V1                    MSMT17_V2
        ├── train/                   ├── mask_train_v2/
        ├── test/                    ├── mask_test_v2/
        └── list_{train,val,query,gallery}.txt, the same in both

        train: 32,621 images (train and val), 1,041 identities, 15 cameras
        query: 11,659 images,                 3,060 identities, 15 cameras
        gallery: 82,161 images,               3,060 identities, 15 cameras

    A line of a list is ``0000/0000_000_01_0303morning_0008_0.jpg 0``: a path whose
    third field is the camera, and the identity, which counts from 0. Data re-packed
    into the folders of Market-1501 (``bounding_box_train/0000_c1_0000.jpg``) are read,
    too. Arguments as :class:`ReIDDataset`.

    Examples:
        >>> from mmreid_cc.datasets import MSMT17
        >>> MSMT17('data/MSMT17_V1')
        MSMT17 train of data/MSMT17_V1: 32621 images, 1041 identities, 15 cameras
    """

    COUNTS = {
        'train': dict(images=(32621,), identities=(1041,), cameras=(15,)),
        'query': dict(images=(11659,), identities=(3060,), cameras=(15,)),
        'gallery': dict(images=(82161,), identities=(3060,), cameras=(15,)),
    }
    DISTRACTOR = None  # identity 0 is a person

    def load_part(self, part: str) -> list[Crop]:
        """Read one part, from the lists if there are any, else from Market folders."""
        side = 'train' if part == 'train' else 'test'
        for folder in (side, f'mask_{side}_v2'):
            try:
                root = self.find_root(*LISTS[part], folder)
            except FileNotFoundError:
                continue
            return [
                Crop(str(root / folder / path), pid, camera_of(path))
                for name in LISTS[part]
                for path, pid in read_list(root / name, root / folder).items()
            ]
        return super().load_part(part)


def read_list(file: Path, folder: Path) -> dict[str, int]:
    """Read one of the lists of MSMT17.

    Args:
        file (Path): Lines of a path and an identity.
        folder (Path): Folder of the images, which the paths start from.

    Returns:
        dict[str, int]: The identity of each path.

    Raises:
        FileNotFoundError: If an image does not exist; it names file and line.
        ValueError: If a line is not of this form; it names file and line.
    """
    identities = {}
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        path, _, pid = line.strip().rpartition(' ')
        if not path or not pid.isdigit() or not camera_field(path).isdigit():
            raise ValueError(
                f'{file}, line {number}: expected '
                "'0000/0000_000_01_0303morning_0008_0.jpg 0' (path with the camera as "
                f'third field, identity), found {line!r}.'
            )
        if not (folder / path).is_file():
            raise FileNotFoundError(
                f'{file}, line {number}: the image {path!r} does not exist in {folder}.'
            )
        identities[path] = int(pid)
    return identities


def camera_field(path: str) -> str:
    """Return the text of the camera in a path, empty if there is none."""
    fields = Path(path).name.split('_')
    return fields[2] if len(fields) > 2 else ''


def camera_of(path: str) -> int:
    """Return the number of the camera in a path."""
    return int(camera_field(path))
