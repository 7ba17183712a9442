"""Your own crops, with or without known identities and cameras."""

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

from mmreid_cc.registry import DATASETS

from .crops import UNKNOWN, Crop, list_images
from .image_lists import (
    ListedImage,
    NumberedNames,
    as_crop,
    compile_pattern,
    read_image_list,
)
from .reid_dataset import ReIDDataset
from .tables import as_seconds


@DATASETS.register_module()
class ReIDImageFolder(ReIDDataset):
    r"""Your own crops, from folders of images or CSV files that list them.

    Training needs neither identities nor cameras. A test needs identities, and cameras
    unless ``ReIDMetric(exclude_same_camera=False)``.

    Args:
        data_root (str): Folder that the other paths start from.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms of an image.
        train (str): Source of the training images: a folder, searched with its
            sub-folders, or a CSV file with the columns ``path,pid,cam,track,time``, of
            which only the first is needed, see :func:`read_image_list`. Defaults to
            ``'.'``, all of ``data_root``.
        query (str): The same of the query images. Defaults to ``'query'``.
        gallery (str): The same of the gallery images. Defaults to ``'gallery'``.
        pattern (str, optional): Regular expression that is searched in the path of an
            image below its folder (with ``/``), with the named groups ``pid``,
            ``cam``, ``track`` and ``time``, any of which may be missing. Identities,
            cameras and tracks need not be numbers. Other groups are kept as metadata,
            and named in the log. Defaults to None: nothing is known.
        skip_unreadable (bool): As in :class:`ReIDDataset`. Defaults to False.
        indices (int | Sequence[int], optional): As in :class:`ReIDDataset`.

    An unknown identity is −1, an unknown camera 0, no track −1, an unknown time NaN.
    In query and gallery, images of unknown identity are junk and left out.

    Raises:
        FileNotFoundError: If a folder or CSV file is missing.
        ValueError: If the pattern is no regular expression or has no named group, a
            path does not match it, a CSV has other columns, or an image is in two of
            the parts.

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
        self._regex = None if pattern is None else compile_pattern(pattern)
        self._numbers = {name: NumberedNames() for name in ('pid', 'cam', 'track')}
        self._rows_of: dict[Path, list[ListedImage]] = {}
        self._images_of: dict[Path, list[Path]] = {}
        super().__init__(data_root, split, pipeline, skip_unreadable, indices)

    def load_data_list(self) -> list[dict]:
        """Read the parts of the split, and check that no image is in two of them."""
        parts = {part: self._files(part) for part in self.sources if self._exists(part)}
        for one, other in combinations(parts, 2):
            if one == 'train' != self.split:
                continue  # it is not loaded, and may not have been set
            shared = parts[one] & parts[other]
            if shared:
                raise ValueError(
                    f'{len(shared)} images are in both {one} and {other} of '
                    f'{self.data_root}, e.g. {min(shared)}. Give `train`, `query` and '
                    '`gallery` of ReIDImageFolder folders of their own, e.g. '
                    "train='train'."
                )
        data_list = super().load_data_list()
        self._rows_of.clear()
        self._images_of.clear()
        return data_list

    def load_part(self, part: str) -> list[Crop]:
        """Read one part from its folder or CSV file."""
        crops = [as_crop(row, self._numbers) for row in self._rows(part)]
        if part == 'train':
            return crops
        return [crop for crop in crops if crop.pid != UNKNOWN]

    def _rows(self, part: str) -> list[ListedImage]:
        """Yield each image and what is known about it."""
        source = self._source(part)
        if not source.exists():
            needs = '' if part == 'train' else ' A test needs query and gallery.'
            raise FileNotFoundError(
                f'ReIDImageFolder: {source} does not exist.{needs} Set `data_root`, or '
                f'`{part}`, of the data set to the folder or CSV file of these images.'
            )
        if source.suffix.lower() == '.csv':
            if self.pattern is not None:
                raise ValueError(
                    f'ReIDImageFolder: {source} names identities and cameras by its '
                    'columns. Leave `pattern` out.'
                )
            return self._listed(source)
        return [self._named(path, source) for path in self._images(source)]

    def _source(self, part: str) -> Path:
        return Path(self.data_root) / self.sources[part]

    def _exists(self, part: str) -> bool:
        return self._source(part).exists()

    def _files(self, part: str) -> set[str]:
        """Return all image files of a part, even if their names cannot be parsed."""
        source = self._source(part)
        if source.suffix.lower() == '.csv':
            return {row.path for row in self._listed(source)}
        return {str(path) for path in self._images(source)}

    def _listed(self, file: Path) -> list[ListedImage]:
        """Return what a CSV file lists; it is read once."""
        if file not in self._rows_of:
            self._rows_of[file] = read_image_list(file, Path(self.data_root))
        return self._rows_of[file]

    def _images(self, folder: Path) -> list[Path]:
        """Return the images of a folder; they are listed once."""
        if folder not in self._images_of:
            self._images_of[folder] = list_images(folder)
        return self._images_of[folder]

    def _named(self, path: Path, folder: Path) -> ListedImage:
        """Parse the path of an image below its folder."""
        if self._regex is None:
            return ListedImage(str(path))
        name = path.relative_to(folder).as_posix()
        match = self._regex.search(name)
        if match is None:
            raise ValueError(
                f'{name} in {self.data_root} does not match the pattern '
                f'{self.pattern!r} of ReIDImageFolder. Change `pattern`, or remove the '
                'file.'
            )
        found = {key: value or '' for key, value in match.groupdict().items()}
        try:
            time = as_seconds(found.pop('time', ''))
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from None
        known = {key: found.pop(key, '') for key in ('pid', 'cam', 'track')}
        return ListedImage(str(path), **known, time=time, metadata=found)
