"""Reading and writing of people as one file, by one program at a time."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from .gallery_file import read_arrays, write_arrays
from .known_tracks import KnownTracks

FORMAT = 1  # of the file
_ABOUT = 'about'  # the array that holds what is no array, as JSON in UTF-8


class ChangedMeanwhileError(RuntimeError):
    """Another program wrote a file since it was read, or is writing it."""


def read_people(file: str | os.PathLike) -> tuple[KnownTracks, dict[str, Any]]:
    """Read a file of people.

    Args:
        file (str | os.PathLike): A file that :func:`write_people_file` wrote.

    Returns:
        tuple[KnownTracks, dict]: The tracks, whose embeddings are memory-mapped, and
        everything else.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is another file, is incomplete, or is of a newer
            version of this library.

    Example:
        >>> tracks, about = read_people('people.npz')
    """
    try:
        arrays = read_arrays(file)
    except ValueError as error:
        reason = error.__cause__ or error
        raise ValueError(
            f'{file} cannot be read: it holds no people, or is damaged '
            f'({type(reason).__name__}: {reason}). Use a copy of it, or begin a new '
            'file.'
        ) from error
    missing = {_ABOUT, *KnownTracks._fields} - set(arrays)
    if _ABOUT in missing:
        raise ValueError(
            f'{file} holds no people, but {", ".join(sorted(arrays)) or "nothing"}. '
            'Give a file of tools/assign.py.'
        )
    about: dict[str, Any] = json.loads(arrays[_ABOUT].tobytes().decode())
    if about.get('format', 0) > FORMAT:
        raise ValueError(
            f'{file} was written by a newer version of this library (format '
            f'{about["format"]}, known is {FORMAT}). Update it: pip install -U '
            'mmreid-cc'
        )
    if missing:
        raise ValueError(f'{file} is damaged: it has no {", ".join(sorted(missing))}.')
    tracks = KnownTracks(*(arrays[name] for name in KnownTracks._fields))
    lengths = {len(column) for column in tracks}
    if len(lengths) > 1:
        raise ValueError(f'{file} is damaged: its columns have {lengths} rows.')
    return tracks, about


def write_people_file(
    file: str | os.PathLike, tracks: KnownTracks, about: dict[str, Any]
) -> None:
    """Write people, unless another program has written the file since.

    Args:
        file (str | os.PathLike): Its path; its folder is created.
        tracks (KnownTracks): The tracks.
        about (dict): All else, in types of JSON. ``revision`` counts how often the file
            was written: an existing file must have the revision before this one.

    Raises:
        ChangedMeanwhileError: If the file is another one, or is just being written.
            Nothing is written.
        OSError: If it cannot be written. An existing file does not change.
    """
    path = Path(file)
    with _alone(path):
        before = about['revision'] - 1
        written = read_people(path)[1]['revision'] if path.exists() else before
        if written != before:
            raise ChangedMeanwhileError(
                f'{path} was written by another program after it was read here '
                f'(revision {written}, read was {before}). Nothing was '
                'written now. Read it again, and repeat your changes.'
            )
        text = json.dumps(dict(about, format=FORMAT), ensure_ascii=False)
        content = np.frombuffer(text.encode(), dtype=np.uint8)
        write_arrays(path, {**tracks._asdict(), _ABOUT: content})


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which the system releases if this process is killed.

    Raises:
        ChangedMeanwhileError: If another program holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f'{path.name}.lock'), timeout=0)
    try:
        with lock:
            yield
    except Timeout:
        raise ChangedMeanwhileError(
            f'Another program is writing {path}. Nothing has been written. Wait until '
            'it has ended, and do it again.'
        ) from None
