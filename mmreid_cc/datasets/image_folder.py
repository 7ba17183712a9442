"""Crops of one's own, with or without known identities and cameras."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

from mmreid_cc.registry import DATASETS

from .crops import UNKNOWN, Crop, list_images, read_text
from .reid_dataset import ReIDDataset

NO_CAMERA = 0
COLUMNS = ('path', 'pid', 'cam')


@DATASETS.register_module()
class ReIDImageFolder(ReIDDataset):
    r"""Own crops: folders of images, or CSV files that list them.

    Training needs neither identities nor cameras. A test needs identities, and cameras
    unless ``ReIDMetric(exclude_same_camera=False)``.

    Args:
        data_root (str): Folder that the other paths start from.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms of an image.
        train (str): Of the training images: a folder, searched with its sub-folders,
            or a CSV file with the columns ``path,pid,cam``, of which the last two may
            be missing or empty. Defaults to ``'.'``, all of ``data_root``.
        query (str): The same of the query images. Defaults to ``'query'``.
        gallery (str): The same of the gallery images. Defaults to ``'gallery'``.
        pattern (str, optional): Regular expression that is searched in the path of an
            image below its folder (with ``/``), with the named groups ``pid`` and
            ``cam``, either of which may be missing. Identities and cameras need not be
            numbers. Defaults to None: identities and cameras are unknown.
        skip_unreadable (bool): As in :class:`ReIDDataset`. Defaults to False.
        indices (int | Sequence[int], optional): As in :class:`ReIDDataset`.

    An unknown identity is −1, an unknown camera 0. In query and gallery, images of
    unknown identity are junk and left out.

    Raises:
        FileNotFoundError: If a folder or CSV file is missing.
        ValueError: If a path does not match the pattern, a CSV has other columns, or
            an image is in two of the parts.

    Examples:
        One folder of crops, nothing known:

        .. code:: python

            dataset=dict(type='ReIDImageFolder', data_root='data/crops')

        A folder for each person, ``alice/cam3_0001.png``:

        .. code:: python

            dataset=dict(
                type='ReIDImageFolder', data_root='data/crops',
                pattern=r'(?P<pid>[^/]+)/cam(?P<cam>\d+)_')

        >>> from mmreid_cc.datasets import ReIDImageFolder
        >>> ReIDImageFolder('data/crops')
        ReIDImageFolder train of data/crops: 5000 images, 0 identities, 1 cameras
    """

    DISTRACTOR = None

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        pipeline: Sequence[dict | Callable] = (),
        train: str = '.',
        query: str = 'query',
        gallery: str = 'gallery',
        pattern: str | None = None,
        skip_unreadable: bool = False,
        indices: int | Sequence[int] | None = None,
    ) -> None:
        self.sources = {'train': train, 'query': query, 'gallery': gallery}
        self.pattern = pattern
        self._pids = NumberedNames()
        self._cameras = NumberedNames()
        super().__init__(data_root, split, pipeline, skip_unreadable, indices)

    def load_data_list(self) -> list[dict]:
        """Read the parts of the split, and see that no image plays two roles."""
        parts = {part: self._files(part) for part in self.sources if self._exists(part)}
        for one, other in combinations(parts, 2):
            if one == 'train' != self.split:
                continue  # it is not loaded, and may not have been set
            shared = parts[one] & parts[other]
            if shared:
                raise ValueError(
                    f'{len(shared)} images are in both {one} and {other} of '
                    f'{self.data_root}, e.g. {min(shared)}. Set `train`, `query` and '
                    "`gallery` of ReIDImageFolder apart, e.g. train='train'."
                )
        return super().load_data_list()

    def load_part(self, part: str) -> list[Crop]:
        """Read one part from its folder or CSV file."""
        crops = [
            Crop(
                path,
                self._pids.number(pid) if pid else UNKNOWN,
                self._cameras.number(cam) if cam else NO_CAMERA,
            )
            for path, pid, cam in self._rows(part)
        ]
        if part == 'train':
            return crops
        return [crop for crop in crops if crop.pid != UNKNOWN]

    def _rows(self, part: str) -> list[tuple[str, str, str]]:
        """Path, identity and camera of each image, empty where unknown."""
        source = Path(self.data_root) / self.sources[part]
        if source.suffix.lower() == '.csv':
            if self.pattern is not None:
                raise ValueError(
                    f'ReIDImageFolder: {source} names identities and cameras by its '
                    'columns. Leave `pattern` out.'
                )
            return read_csv(source, Path(self.data_root))
        return [
            (str(path), *self._names_in(path.relative_to(source).as_posix()))
            for path in list_images(source)
        ]

    def _exists(self, part: str) -> bool:
        return (Path(self.data_root) / self.sources[part]).exists()

    def _files(self, part: str) -> set[str]:
        """The image files of a part, whether their names can be read or not."""
        source = Path(self.data_root) / self.sources[part]
        if source.suffix.lower() == '.csv':
            return {path for path, _, _ in read_csv(source, Path(self.data_root))}
        return {str(path) for path in list_images(source)}

    def _names_in(self, path: str) -> tuple[str, str]:
        if self.pattern is None:
            return '', ''
        match = re.search(self.pattern, path)
        if match is None:
            raise ValueError(
                f'{path} in {self.data_root} does not match the pattern '
                f'{self.pattern!r} of ReIDImageFolder. Change `pattern`, or remove the '
                'file.'
            )
        groups = match.groupdict()
        return groups.get('pid') or '', groups.get('cam') or ''


class NumberedNames:
    """Numbers for names: a number stands for itself, other names count from 10⁹.

    The two never meet, and equal names of query and gallery get equal numbers.
    """

    FIRST = 10**9

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The number of a name."""
        # Tables write 5.0 for 5 as soon as one number of the column is missing.
        whole = re.fullmatch(r'(-1|\d{1,9})(\.0)?', name)
        if whole:
            return int(whole[1])
        return self._numbers.setdefault(name, self.FIRST + len(self._numbers))


def read_csv(file: Path, root: Path) -> list[tuple[str, str, str]]:
    """Read a list of images.

    Args:
        file (Path): A CSV file whose header has ``path``, and maybe ``pid``, ``cam``.
        root (Path): Folder that relative paths start from.

    Returns:
        list[tuple[str, str, str]]: Path, identity and camera, empty where unknown.

    Raises:
        FileNotFoundError: If the file, or an image that it names, does not exist.
        ValueError: If the columns are others, or the file is no UTF-8 text.
    """
    if not file.is_file():
        raise FileNotFoundError(f'The list of images {file} does not exist.')
    # As it is: a quoted name may hold a newline.
    lines = io.StringIO(read_text(file), newline='')
    reader = csv.DictReader(lines, skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    if 'path' not in columns or not set(columns) <= set(COLUMNS):
        raise ValueError(
            f'{file} has the columns "{",".join(columns)}". Its first line must be '
            '"path,pid,cam"; the last two may be left out.'
        )
    reader.fieldnames = columns
    rows = []
    for row in reader:
        path, pid, cam = ((row.get(name) or '').strip() for name in COLUMNS)
        if not path or not (root / path).is_file():
            raise FileNotFoundError(
                f'{file}, line {reader.line_num}: the image {path!r} does not '
                f'exist below {root}.'
            )
        rows.append((str(root / path), pid, cam))
    return rows
