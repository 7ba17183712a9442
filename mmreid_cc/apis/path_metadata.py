"""Metadata of images in their paths or lists: cameras, identities, times."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from mmreid_cc.datasets.crops import NO_TRACK
from mmreid_cc.datasets.image_lists import ListedImage, compile_pattern
from mmreid_cc.datasets.tables import as_seconds

COLUMNS = {'cam': 'cam_id'}  # groups that galleries know by another name


def path_metadata(paths: Sequence[str], pattern: str) -> dict[str, np.ndarray]:
    r"""Read metadata from paths.

    Args:
        paths (Sequence[str]): Paths of N images.
        pattern (str): Regular expression that is searched in each path (with ``/``
            between folders); its named groups are read. ``cam``, ``pid``, ``track`` and
            ``time`` are those of ``ReIDImageFolder``; others may follow.

    Returns:
        dict[str, np.ndarray]: By name, (N,), see :func:`metadata_columns`.

    Raises:
        ValueError: If the pattern is not a regular expression or has no named group, or
            if a path does not match, or its time cannot be read.

    Example:
        >>> path_metadata(['a/0002_c1s1_1.jpg'], r'(?P<pid>\d+)_c(?P<cam>\d+)')
        {'pid': array([2]), 'cam_id': array([1])}
    """
    regex = compile_pattern(pattern)
    matches = []
    for path in paths:
        match = regex.search(path.replace('\\', '/'))
        if match is None:
            raise ValueError(
                f'{path} does not match the pattern {pattern!r}. Change the pattern, '
                'or leave the file out.'
            )
        matches.append(match.groupdict(''))
    return metadata_columns(
        {name: [groups[name] for groups in matches] for name in regex.groupindex}
    )


def listed_metadata(images: Sequence[ListedImage]) -> dict[str, np.ndarray]:
    """Return the metadata of listed images.

    Args:
        images (Sequence[ListedImage]): N ≥ 1 images.

    Returns:
        dict[str, np.ndarray]: By name, (N,), see :func:`metadata_columns`; a column
        that is empty for all images is left out.

    Example:
        >>> listed_metadata([ListedImage('1.jpg', cam='2'), ListedImage('2.jpg')])
        {'cam_id': array(['2', ''], dtype='<U1')}
    """
    texts = {
        name: [getattr(image, name) for image in images]
        for name in ('pid', 'cam', 'track')
    }
    further = dict.fromkeys(name for image in images for name in image.metadata)
    for name in further:
        texts[name] = [image.metadata.get(name, '') for image in images]
    columns = metadata_columns(
        {k: column for k, column in texts.items() if any(column)}
    )
    times = np.array([image.time for image in images])
    return columns if np.isnan(times).all() else {**columns, 'time': times}


def metadata_columns(texts: Mapping[str, Sequence[str]]) -> dict[str, np.ndarray]:
    """Convert texts that describe images to arrays.

    Args:
        texts (Mapping[str, Sequence[str]]): By name, of N images; ``''`` is unknown.

    Returns:
        dict[str, np.ndarray]: By name, ``cam_id`` for ``cam``; (N,) int64 if all are
        whole numbers, or else texts. A missing ``track`` is −1 if the others are whole
        numbers. ``time`` is in seconds, float64, NaN if unknown.

    Raises:
        ValueError: If a time cannot be read.

    Example:
        >>> metadata_columns(dict(cam=['1', '2'], track=['7', ''], time=['0.5', '']))
        {'cam_id': array([1, 2]), 'track': array([ 7, -1]), 'time': array([0.5, nan])}
    """
    columns = {}
    for name, column in texts.items():
        if name == 'time':
            columns[name] = np.array([as_seconds(text) for text in column])
            continue
        if name == 'track':
            column = [text or str(NO_TRACK) for text in column]
        columns[COLUMNS.get(name, name)] = _column(column)
    return columns


def _column(texts: Sequence[str]) -> np.ndarray:
    whole = all(re.fullmatch(r'-?\d{1,18}', text, re.ASCII) for text in texts)
    return np.array(texts, dtype=np.int64) if whole else np.array(texts)
