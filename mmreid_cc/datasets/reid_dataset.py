"""The base of all re-ID data sets, which read identities from file names."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, Compose
from mmengine.logging import print_log

from mmreid_cc.registry import DATASETS

from .crops import (
    IMAGE_SUFFIXES,
    UNKNOWN,
    Crop,
    count,
    drop_unreadable,
    list_images,
    parse_name,
)
from .image_cache import ImageCache, fixed_size
from .seeding import SeededIndex, seeded


@DATASETS.register_module()
class ReIDDataset(BaseDataset):
    """Images of people in the layout of Market-1501.

    .. code-block:: none

        data_root
        ├── bounding_box_train/   0002_c1s1_000451_03.jpg: identity 2, camera 1
        ├── query/
        └── bounding_box_test/    identity −1: junk (left out), 0: distractor (kept)

    ``data_root`` is that folder, or one that holds it as its only sub-folder of this
    layout. The true identities are used by metrics and by the log of clustering
    quality, never in training.

    A data set of another layout is a subclass with other ``FOLDERS`` and ``PATTERN``,
    or with its own :meth:`load_part`.

    Args:
        data_root (str): Folder of the data set.
        split (str): ``'train'``, or ``'test'`` for query and gallery in one data set.
        pipeline (Sequence[dict | Callable]): Transforms of an image.
        skip_unreadable (bool): Read every file once while loading, leave out those
            that are no image, and list them in the log. Otherwise the first such
            file ends the run with an error. Defaults to False.
        indices (int | Sequence[int], optional): Take the first so many images, or
            these, for a quick try. Defaults to None.

    Each item carries ``img_path``, ``pid`` (int), ``cam_id`` (int), ``track`` (int, the
    number of a track within its camera, −1 for none), ``time`` (float, seconds, NaN for
    unknown), ``is_query`` (bool) and ``sample_idx`` (int), which is the row of the
    image in every array of features or labels.

    Raises:
        FileNotFoundError: If a folder is missing.
        ValueError: If a split holds no image, or a file name does not match.

    Examples:
        >>> from mmreid_cc.datasets import ReIDDataset
        >>> dataset = ReIDDataset('data/mydata', split='test')
        >>> dataset.column('pid')[:3]
        array([1, 1, 1])

        In a config:

        .. code:: python

            dataset=dict(
                type='ReIDDataset', data_root='data/mydata', split='train',
                pipeline=train_pipeline)
    """

    FOLDERS: Mapping[str, str] = {
        'train': 'bounding_box_train',
        'query': 'query',
        'gallery': 'bounding_box_test',
    }
    PATTERN: str = r'^(?P<pid>-1|\d+)_c(?P<cam>\d+)'
    COUNTS: Mapping[str, Mapping[str, tuple[int, ...]]] = {}
    """Published numbers of ``images``, ``identities`` and ``cameras`` of each part; a
    tuple of all that are found where sources differ."""
    DISTRACTOR: int | None = 0
    """The identity of gallery images that show nobody in particular."""
    image_cache: ImageCache | None = None
    """The cache of images after decoding and resizing, or None."""

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        pipeline: Sequence[dict | Callable] = (),
        skip_unreadable: bool = False,
        indices: int | Sequence[int] | None = None,
    ) -> None:
        if split not in ('train', 'test'):
            raise ValueError(f"split must be 'train' or 'test', not {split!r}")
        self.split = split
        self.skip_unreadable = skip_unreadable
        super().__init__(
            data_root=str(data_root),
            data_prefix={},
            pipeline=list(pipeline),
            indices=indices,
            test_mode=True,  # an error in a pipeline is raised, not replaced by luck
        )

    def __getitem__(self, index: int) -> Any:
        """Return the image at an index, after the pipeline.

        Args:
            index (int): Index with a seed where it comes from a sampler of ours, see
                :class:`SeededIndex`: then the augmentation depends on that alone.

        Returns:
            Any: What the pipeline returns.
        """
        if not isinstance(index, SeededIndex):
            return super().__getitem__(index)
        with seeded(index.seed):
            return super().__getitem__(int(index))

    def prepare_data(self, idx: int) -> Any:
        """Pass an image through the pipeline, from the cache if it is there.

        Args:
            idx (int): Index of the image.

        Returns:
            Any: What the pipeline returns.
        """
        cache = self.image_cache
        if cache is None:
            return super().prepare_data(idx)
        info = self.get_data_info(idx)
        transforms = self.pipeline.transforms
        kept = cache.get(idx)
        if kept is None:
            info = Compose(transforms[:2])(info)
            cache.put(idx, info['img'], info['ori_shape'])
        else:
            image, original = kept
            height, width = cache.size
            info.update(  # what loading and resizing would add
                img=image,
                img_shape=cache.size,
                ori_shape=original,
                scale=(width, height),
                scale_factor=(width / original[1], height / original[0]),
                keep_ratio=False,
            )
        return Compose(transforms[2:])(info)

    def keep_images(self, cache: ImageCache) -> None:
        """Decode and resize every image once, from now on.

        Call it before workers start, and give data sets of the same images one cache.

        Args:
            cache (ImageCache): For the images of this data set, in the size to which
                its pipeline brings them first.

        Raises:
            ValueError: If the cache is made for others.
        """
        size = fixed_size(self.pipeline)
        if (cache.count, cache.size) != (len(self), size):
            raise ValueError(
                f'A cache of {cache.count} images of {cache.size} cannot hold the '
                f'{len(self)} images of {size} of {self}.'
            )
        self.image_cache = cache

    def share_images(self, other: object) -> None:
        """Use the cache of another data set, if it has the same images.

        Args:
            other (object): A data set, of any class.
        """
        if (
            isinstance(other, ReIDDataset)
            and other.image_cache is not None
            and repr(other.pipeline.transforms[:2])
            == repr(self.pipeline.transforms[:2])
            and np.array_equal(other.column('img_path'), self.column('img_path'))
        ):
            self.image_cache = other.image_cache

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts of the split."""
        return ('train',) if self.split == 'train' else ('query', 'gallery')

    def load_data_list(self) -> list[dict]:
        """Read the parts of the split, compare their counts, describe every image."""
        data_list = []
        for part in self.parts:
            crops = self.load_part(part)
            if not crops:
                raise ValueError(
                    f'{type(self).__name__}: the part {part!r} of {self.data_root} '
                    f'holds no image: no file that ends in {", ".join(IMAGE_SUFFIXES)} '
                    'and shows a known identity.'
                )
            self._compare_counts(part, crops)
            if self.skip_unreadable:
                crops = drop_unreadable(crops, name=f'{type(self).__name__} {part}')
            data_list += [
                dict(
                    img_path=crop.path,
                    pid=crop.pid,
                    cam_id=crop.cam_id,
                    track=crop.track,
                    time=crop.time,
                    is_query=part == 'query',
                    **({'metadata': dict(crop.metadata)} if crop.metadata else {}),
                )
                for crop in crops
            ]
        return data_list

    def load_part(self, part: str) -> list[Crop]:
        """Read one part.

        Args:
            part (str): ``'train'``, ``'query'`` or ``'gallery'``.

        Returns:
            list[Crop]: Its images, sorted by path, without junk (identity −1).
        """
        folder = self.find_root() / self.FOLDERS[part]
        crops = [
            parse_name(path, path.name, self.PATTERN) for path in list_images(folder)
        ]
        return [crop for crop in crops if crop.pid != UNKNOWN]

    def find_root(self, *required: str) -> Path:
        """Return the data set's folder: ``data_root`` or its only fitting sub-folder.

        Args:
            *required (str): Files and folders in it. Defaults to the image folders of
                the split.

        Returns:
            Path: ``data_root`` if it fits.

        Raises:
            FileNotFoundError: If no folder fits.
            ValueError: If several sub-folders do.
        """
        root = Path(self.data_root)
        if not required:
            required = tuple(self.FOLDERS[part] for part in self.parts)
        folders = [root, *sorted(path for path in root.glob('*') if path.is_dir())]
        found = [
            folder
            for folder in folders
            if all((folder / name).exists() for name in required)
        ]
        if len(found) > 1 and found[0] != root:
            names = ', '.join(path.name for path in found)
            raise ValueError(
                f'{type(self).__name__}: {" and ".join(required)} are in several '
                f'folders of {root}: {names}. Set `data_root` of the data set to '
                'one of them.'
            )
        if found:
            return found[0]
        raise FileNotFoundError(
            f'{type(self).__name__}: {" and ".join(required)} not found in {root} or a '
            f'folder in it{"" if root.is_dir() else " (it does not exist)"}. Set '
            '`data_root` of the data set to the folder that you unpacked; the expected '
            f'tree is in the docstring of {type(self).__name__}.'
        )

    def column(self, key: str) -> np.ndarray:
        """Return one field of all images, in the order of ``sample_idx``.

        Args:
            key (str): ``'pid'``, ``'cam_id'``, ``'track'`` (int64, −1 for none),
                ``'time'`` (float64, seconds, NaN for unknown), ``'is_query'``,
                ``'img_path'``; or the name of further metadata, which are texts.

        Returns:
            np.ndarray: Shape (N,).

        Raises:
            KeyError: If there is no such field.
        """
        infos = [self.get_data_info(index) for index in range(len(self))]
        if infos and key not in infos[0]:
            infos = [info.get('metadata', {}) for info in infos]
            if not any(key in info for info in infos):
                raise KeyError(f'{type(self).__name__} has no column {key!r}.')
            return np.array([info.get(key, '') for info in infos])
        return np.array([info[key] for info in infos])

    def _compare_counts(self, part: str, crops: list[Crop]) -> None:
        found = count(crops, self.DISTRACTOR)
        off = [
            f'{found[what]} {what} instead of {" or ".join(map(str, published))}'
            for what, published in self.COUNTS.get(part, {}).items()
            if found[what] not in published
        ]
        if off:
            print_log(
                f'{type(self).__name__} {part} in {self.data_root}: {", ".join(off)} '
                'as published. Results cannot be compared with those of papers.',
                logger='current',
                level=logging.WARNING,
            )

    def counts(self) -> dict[str, int]:
        """Count ``images``, known ``identities`` and ``cameras``."""
        columns = zip(self.column('pid'), self.column('cam_id'), strict=True)
        return count([Crop('', *row) for row in columns], self.DISTRACTOR)

    def __repr__(self) -> str:
        counts = ', '.join(f'{number} {what}' for what, number in self.counts().items())
        return f'{type(self).__name__} {self.split} of {self.data_root}: {counts}'
