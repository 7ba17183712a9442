"""The track files of trackers, with a box in each line."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..crops import NO_TRACK, read_text
from ..tables import Table

COLUMNS = ('frame', 'id', 'x', 'y', 'w', 'h')
FURTHER = ('conf', 'pid')


@dataclass(frozen=True)
class Tracks:
    """The N boxes of a track file, in its order.

    Attributes:
        file: where they are from.
        lines: (N,) int64, number of the line of each, from 1.
        frames: (N,) int64, number of the frame, from 1.
        ids: (N,) int64, number of the track, −1 for none.
        boxes: (N, 4) float64, left, top, width and height in pixels.
        confidences: (N,) float64, NaN where unknown.
        pids: N names or numbers of identities, ``''`` where unknown.
    """

    file: Path
    lines: np.ndarray
    frames: np.ndarray
    ids: np.ndarray
    boxes: np.ndarray
    confidences: np.ndarray
    pids: list[str]

    def __len__(self) -> int:
        return len(self.frames)


def read_tracks(file: str | Path, first_frame: int = 1) -> Tracks:
    """Read a track file.

    Args:
        file (str | Path): Lines ``frame,id,x,y,w,h,conf,…`` as in MOTChallenge,
            separated by commas or blanks; or a CSV file whose first line has these
            names in any order, of which ``conf`` may be missing, and maybe ``pid``.
        first_frame (int): The number that the file gives to the first frame of the
            video. MOTChallenge counts from 1; programs that count from 0 need 0 here.
            Defaults to 1.

    Returns:
        Tracks: Tracks with frames from 1. A negative confidence is unknown, a negative
        id is no track.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line has another form, if a track has two boxes in a frame, or
            if there is no line. It names file and line.

    Example:
        >>> Path('cam1.txt').write_text('1,7,10,20,30,60,0.9,-1,-1,-1')
        >>> tracks = read_tracks('cam1.txt')
        >>> tracks.ids, tracks.boxes
        (array([7]), array([[10., 20., 30., 60.]]))
    """
    file = Path(file)
    if not file.is_file():
        raise FileNotFoundError(f'The track file {file} does not exist.')
    rows = list(_table_rows(file) if _has_header(file) else _plain_rows(file))
    if not rows:
        raise ValueError(f'The track file {file} has no line.')
    lines, values, pids = zip(*rows, strict=True)
    numbers = np.array(values)
    frames, ids = numbers[:, 0], numbers[:, 1]
    whole = (frames == np.floor(frames)) & (ids == np.floor(ids))
    finite = np.isfinite(numbers[:, :6]).all(axis=1)
    bad = ~finite | ~whole
    if bad.any():
        raise ValueError(
            f'{file}, line {lines[int(np.argmax(bad))]}: frame and id must be whole '
            'numbers, and the box finite ones.'
        )
    early = frames < first_frame
    if early.any():
        line = lines[int(np.argmax(early))]
        raise ValueError(
            f'{file}, line {line}: frame {frames[early][0]:.0f}, but frames count from '
            f'{first_frame}. If the frames of this file count from 0, add '
            '--first-frame 0.'
        )
    tracks = Tracks(
        file,
        np.array(lines),
        frames.astype(np.int64) + 1 - first_frame,
        np.where(ids < 0, NO_TRACK, ids).astype(np.int64),
        numbers[:, 2:6],
        np.where(numbers[:, 6] < 0, math.nan, numbers[:, 6]),
        list(pids),
    )
    _check_one_box_a_frame(tracks)
    return tracks


def _has_header(file: Path) -> bool:
    first = read_text(file).lstrip().partition('\n')[0]
    return any(name in first for name in COLUMNS[:2])


def _table_rows(file: Path) -> Iterator[tuple[int, list[float], str]]:
    """Yield line, numbers and identity of each box of a CSV file."""
    table = Table(file)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise ValueError(
            f'{file} has no column {", ".join(missing)}, but '
            f'"{",".join(table.columns)}". It must have {",".join(COLUMNS)}, and may '
            f'have {",".join(FURTHER)}.'
        )
    for line, row in table:
        texts = [row[name] for name in COLUMNS]
        numbers = _numbers(file, line, [*texts, row.get('conf') or 'nan'])
        yield line, numbers, row.get('pid', '')


def _plain_rows(file: Path) -> Iterator[tuple[int, list[float], str]]:
    """Yield line, numbers and identity of each box of a file without names."""
    for line, text in enumerate(read_text(file).splitlines(), start=1):
        values = text.replace(',', ' ').split()
        if not values:
            continue
        if len(values) < len(COLUMNS):
            raise ValueError(
                f'{file}, line {line}: {text!r} has {len(values)} values, and '
                f'{",".join(COLUMNS)} need {len(COLUMNS)}.'
            )
        yield line, _numbers(file, line, [*values, 'nan'][: len(COLUMNS) + 1]), ''


def _numbers(file: Path, line: int, texts: list[str]) -> list[float]:
    try:
        return [float(text) for text in texts]
    except ValueError as error:
        raise ValueError(f'{file}, line {line}: {error}.') from None


def _check_one_box_a_frame(tracks: Tracks) -> None:
    order = np.lexsort((tracks.lines, tracks.frames, tracks.ids))
    frames, ids = tracks.frames[order], tracks.ids[order]
    twice = (frames[1:] == frames[:-1]) & (ids[1:] == ids[:-1]) & (ids[1:] != NO_TRACK)
    if twice.any():
        first = int(np.argmax(twice))
        one, other = tracks.lines[order[first : first + 2]]
        raise ValueError(
            f'{tracks.file}, lines {one} and {other}: two boxes of track {ids[first]} '
            f'in frame {frames[first]}. A person can be in one place only.'
        )
