"""Crops: images of one person, with identity and camera from file names."""

import logging
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from mmengine.logging import print_log

from .decoding import decode_image

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
UNKNOWN = -1  # the identity of an image nobody has labelled; in a gallery: junk
NO_TRACK = -1
_LARGEST = 2**63 - 1


class Crop(NamedTuple):
    """One image of one person (or vehicle), with what is known about it.

    Attributes:
        path: of the file.
        pid: identity; −1 is unknown.
        cam_id: camera.
        track: number of the track within its camera, −1 for none: the images of a
            track show one person.
        time: seconds, NaN for unknown.
        metadata: what else is known, by name.
    """

    path: str
    pid: int
    cam_id: int
    track: int = NO_TRACK
    time: float = math.nan
    metadata: Mapping[str, str] | None = None


def list_images(folder: Path) -> list[Path]:
    """Return all images below a folder, without hidden ones, sorted by path.

    Links to folders are followed. Links to missing files are included, so that reading
    them raises an error with their name. Files with other suffixes are counted in the
    log.

    Raises:
        FileNotFoundError: If the folder does not exist.
        OSError: If it, or a folder in it, cannot be read.
    """
    if not folder.is_dir():
        reason = 'is a file' if folder.exists() else 'does not exist'
        raise FileNotFoundError(f'The image folder {folder} {reason}.')
    files = sorted(_files(folder))
    images = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
    others = Counter(path.suffix.lower() for path in set(files) - set(images))
    if others:
        counts = sorted(others.items(), key=lambda item: (-item[1], item[0]))
        listed = ', '.join(f'{n} {suffix or "without one"}' for suffix, n in counts)
        print_log(
            f'{folder}: files that are skipped because of their suffix: {listed}. '
            f'Images end in {", ".join(IMAGE_SUFFIXES)}.',
            logger='current',
        )
    return images


def _files(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield all files below a folder that are not hidden, without pipes and sockets.

    Args:
        folder (Path): The folder.
        above (frozenset[Path]): The folders that it was reached through, at which a
            link that leads back ends.
    """
    place = folder.resolve()
    if place in above:
        return
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError as error:
        raise OSError(
            error.errno,
            f'{error.strerror}: images in it would be left out. Make it readable, or '
            'move it away',
            str(folder),
        ) from error
    for entry in entries:
        if entry.name.startswith('.'):
            continue
        if entry.is_dir():
            yield from _files(folder / entry.name, above | {place})
        elif entry.is_file() or entry.is_symlink():
            yield folder / entry.name


def read_text(file: Path) -> str:
    """Read the text of a list of images, with its line ends unchanged.

    Raises:
        ValueError: If it is not written in UTF-8.
    """
    try:
        return file.read_bytes().decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(
            f'{file} is not text in UTF-8 ({error}). Save it in that encoding.'
        ) from error


def parse_name(path: Path, name: str, pattern: str) -> Crop:
    """Read identity and camera from a file name.

    Args:
        path (Path): The file.
        name (str): The part of its path that is matched.
        pattern (str): A regular expression with the named groups ``pid`` and ``cam``,
            and maybe ``track`` and ``time``, all numbers.

    Raises:
        ValueError: If the name does not match, or a number does not fit into 64 bits;
            it names the path.
    """
    match = re.search(pattern, name)
    if match is None:
        raise ValueError(
            f'The file name of {path} does not match the pattern {pattern!r}, which '
            'gives the identity (pid) and the camera (cam). Remove the file, or use '
            'ReIDImageFolder with a pattern of your own.'
        )
    found = match.groupdict()
    crop = Crop(
        str(path),
        int(found['pid']),
        int(found['cam']),
        int(found.get('track') or NO_TRACK),
        float(found.get('time') or math.nan),
    )
    largest = max(crop.pid, crop.cam_id, crop.track)
    if largest > _LARGEST:
        raise ValueError(
            f'The file name of {path} has the number {largest}, which does not fit '
            'into 64 bits. Use ReIDImageFolder with a pattern, which takes any names.'
        )
    return crop


def count(crops: Sequence[Crop], distractor: int | None) -> dict[str, int]:
    """Count images, identities (without unknown and distractor) and cameras."""
    return dict(
        images=len(crops),
        identities=len({crop.pid for crop in crops} - {UNKNOWN, distractor}),
        cameras=len({crop.cam_id for crop in crops}),
    )


def why_unreadable(path: str) -> str | None:
    """Return why an image cannot be decoded, None if it can."""
    try:
        decode_image(path)
    except Exception as error:  # Pillow raises many types on broken files
        return f'{type(error).__name__}: {error}'
    return None


def drop_unreadable(crops: Sequence[Crop], name: str) -> list[Crop]:
    """Leave out the images that cannot be decoded, and list them once in the log.

    Args:
        crops (Sequence[Crop]): The crops to check.
        name (str): Name of the data set, for the log.

    Returns:
        list[Crop]: The readable ones, in the same order.

    Raises:
        ValueError: If none can be read.
    """
    with ThreadPoolExecutor() as pool:
        reasons = list(pool.map(why_unreadable, [crop.path for crop in crops]))
    broken = [
        f'{c.path} ({why})'
        for c, why in zip(crops, reasons, strict=True)
        if why is not None
    ]
    if len(broken) == len(crops):
        raise ValueError(
            f'{name}: none of {len(crops)} images can be read: {broken[0]}'
        )
    if broken:
        print_log(
            f'{name}: {len(broken)} of {len(crops)} images cannot be read and are left '
            'out:\n  ' + '\n  '.join(broken),
            logger='current',
            level=logging.WARNING,
        )
    return [crop for crop, why in zip(crops, reasons, strict=True) if why is None]
