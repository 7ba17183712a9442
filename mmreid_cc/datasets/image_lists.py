"""Lists of images in CSV files, and numbers for the names in them."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.logging import print_log

from .crops import NO_TRACK, UNKNOWN, Crop
from .tables import Table, as_seconds

NO_CAMERA = 0
NAMES = ('pid', 'cam', 'track')
KNOWN = (*NAMES, 'time')
COLUMNS = ('path', *KNOWN)


@dataclass(frozen=True)
class ListedImage:
    """An image and what is known about it; empty or NaN is unknown.

    Attributes:
        path: of the file.
        pid: name or number of the identity.
        cam: name or number of the camera.
        track: name or number of the track within its camera.
        time: seconds.
        metadata: what else is known, by name.
    """

    path: str
    pid: str = ''
    cam: str = ''
    track: str = ''
    time: float = math.nan
    metadata: dict[str, str] = field(default_factory=dict)


class NumberedNames:
    """Numbers for names: a number stands for itself, other names count from 10⁹.

    Both ranges are disjoint, and equal names in query and gallery get equal numbers.
    """

    FIRST = 10**9

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Return the number of a name."""
        # Tables write 5.0 for 5 as soon as one number of the column is missing.
        whole = re.fullmatch(r'(-1|\d{1,9})(\.0)?', name)
        if whole:
            return int(whole[1])
        return self._numbers.setdefault(name, self.FIRST + len(self._numbers))


def as_crop(image: ListedImage, numbers: Mapping[str, NumberedNames]) -> Crop:
    """Convert an image to a crop, with numbers instead of names.

    Args:
        image (ListedImage): The image.
        numbers (Mapping[str, NumberedNames]): Numbers of ``'pid'``, ``'cam'``,
            ``'track'``.

    Returns:
        Crop: The same, −1 for an unknown identity or track, 0 for an unknown camera.

    Example:
        >>> numbers = {name: NumberedNames() for name in NAMES}
        >>> as_crop(ListedImage('1.jpg', cam='3'), numbers)[:4]
        ('1.jpg', -1, 3, -1)
    """
    return Crop(
        image.path,
        numbers['pid'].number(image.pid) if image.pid else UNKNOWN,
        numbers['cam'].number(image.cam) if image.cam else NO_CAMERA,
        numbers['track'].number(image.track) if image.track else NO_TRACK,
        image.time,
        image.metadata,
    )


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a regular expression that finds out about images by its named groups.

    Groups other than ``pid``, ``cam``, ``track`` and ``time`` are named in the log.

    Args:
        pattern (str): The expression.

    Returns:
        re.Pattern[str]: It, compiled.

    Raises:
        ValueError: If it is no regular expression, or has no named group.

    Example:
        >>> compile_pattern(r'cam(?P<cam>[0-9]+)/').groupindex
        mappingproxy({'cam': 1})
    """
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise ValueError(
            f'The pattern {pattern!r} is not a regular expression: {error}.'
        ) from error
    if not regex.groupindex:
        raise ValueError(
            f'The pattern {pattern!r} has no named group, such as (?P<cam>...), so '
            'nothing can be read with it.'
        )
    further = [name for name in regex.groupindex if name not in KNOWN]
    if further:
        print_log(
            f'The pattern {pattern!r}: the groups {", ".join(further)} are kept as '
            f'metadata; those with a meaning are {", ".join(KNOWN)}.',
            logger='current',
        )
    return regex


def read_image_list(file: Path, root: Path) -> list[ListedImage]:
    """Read a list of images.

    Args:
        file (Path): A CSV file whose first line names the column ``path``, and maybe
            ``pid``, ``cam``, ``track`` and ``time``; further columns are kept as
            metadata. Parted by comma, semicolon or tab, as the first line shows.
        root (Path): Folder that relative paths start from.

    Returns:
        list[ListedImage]: In the order of the file.

    Raises:
        FileNotFoundError: If the file, or an image that it names, does not exist.
        ValueError: If there is no column ``path``, an image is listed twice, a time
            cannot be read, a line has too many values, or the file is no UTF-8 text.

    Example:
        >>> read_image_list(Path('crops/crops.csv'), Path('crops'))[0].cam
        'door'
    """
    table = Table(file)
    if 'path' not in table.columns:
        raise ValueError(
            f'{file} has the columns "{",".join(table.columns)}". Its first line must '
            'be "path,pid,cam,track,time", of which only the first is needed; others '
            'may follow.'
        )
    further = [name for name in table.columns if name and name not in COLUMNS]
    if further:
        print_log(
            f'{file}: the columns {", ".join(further)} are kept as metadata; those '
            f'with a meaning are {", ".join(COLUMNS)}.',
            logger='current',
        )
    images = []
    lines: dict[Path, int] = {}
    for line, row in table:
        path = row['path']
        if not path or not (root / path).is_file():
            raise FileNotFoundError(
                f'{file}, line {line}: the image {path!r} does not exist below {root}.'
            )
        first = lines.setdefault(root / path, line)
        if first != line:
            raise ValueError(
                f'{file}, line {line}: the image {path!r} is listed already in line '
                f'{first}. Remove one of them.'
            )
        try:
            time = as_seconds(row.get('time', ''))
        except ValueError as error:
            raise ValueError(f'{file}, line {line}: {error}') from None
        known = {name: row.get(name, '') for name in NAMES}
        metadata = {name: row[name] for name in further}
        images.append(
            ListedImage(str(root / path), **known, time=time, metadata=metadata)
        )
    return images
