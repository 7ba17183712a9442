"""What the paths of images tell of them: cameras, identities, days."""

import re
from collections.abc import Sequence

import numpy as np

COLUMNS = {'cam': 'cam_id'}  # groups that galleries know by another name


def path_metadata(paths: Sequence[str], pattern: str) -> dict[str, np.ndarray]:
    r"""Read metadata from paths.

    Args:
        paths (Sequence[str]): Of N images.
        pattern (str): Regular expression that is searched in each path (with ``/``
            between folders); its named groups are what is read. ``cam`` and ``pid``
            are cameras and identities, as in ``ReIDImageFolder``; others may follow.

    Returns:
        dict[str, np.ndarray]: By name, ``cam_id`` for ``cam``; (N,) int64 if all
        are whole numbers, or else texts, where a group without a match is ``''``.

    Raises:
        ValueError: If the pattern is no regular expression or names no group, or a path
            does not match.

    Example:
        >>> path_metadata(['a/0002_c1s1_1.jpg'], r'(?P<pid>\d+)_c(?P<cam>\d+)')
        {'pid': array([2]), 'cam_id': array([1])}
    """
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise ValueError(f'{pattern!r} is no regular expression: {error}.') from error
    if not regex.groupindex:
        raise ValueError(
            f'The pattern {pattern!r} names no group, such as (?P<cam>...), so nothing '
            'can be read by it.'
        )
    matches = []
    for path in paths:
        match = regex.search(path.replace('\\', '/'))
        if match is None:
            raise ValueError(
                f'{path} does not match the pattern {pattern!r}. Change the pattern, '
                'or leave the file out.'
            )
        matches.append(match.groupdict(''))
    return {
        COLUMNS.get(name, name): _column([groups[name] for groups in matches])
        for name in regex.groupindex
    }


def _column(texts: list[str]) -> np.ndarray:
    whole = all(re.fullmatch(r'-?\d{1,18}', text, re.ASCII) for text in texts)
    return np.array(texts, dtype=np.int64) if whole else np.array(texts)
