"""CSV files of pseudo labels, which people can read and correct."""

import csv
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

COLUMNS = ['path', 'label']
UNDECODABLE = 'surrogateescape'  # bytes of names that are no UTF-8 are kept


def write_labels(
    file: str | os.PathLike, paths: Sequence[str | os.PathLike], labels: np.ndarray
) -> None:
    """Write one row for each image: its path and its label.

    Args:
        file (str | os.PathLike): CSV file in UTF-8, with the header ``path,label``.
        paths (Sequence[str | os.PathLike]): Paths of N images; the file holds them
            relative to the folder that holds them all, with ``/`` between folders.
        labels (np.ndarray): Cluster of each image, −1 is un-clustered; (N,) int.

    Raises:
        ValueError: If there is no image, or not one label for each.

    Example:
        >>> write_labels('labels.csv', ['crops/a/1.jpg', 'crops/2.jpg'], [0, -1])
        >>> print(Path('labels.csv').read_text())
        path,label
        a/1.jpg,0
        2.jpg,-1
    """
    if len(paths) != len(labels):
        raise ValueError(
            f'Give one label for each image, not {len(labels)} labels for '
            f'{len(paths)} images.'
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(COLUMNS)
    writer.writerows(zip(relative_paths(paths), map(int, labels), strict=True))
    Path(file).write_text(text.getvalue(), 'utf-8', errors=UNDECODABLE)


def read_labels(
    file: str | os.PathLike, paths: Sequence[str | os.PathLike]
) -> np.ndarray:
    """Read the label of every image of a data set.

    Args:
        file (str | os.PathLike): A file that :func:`write_labels` writes; the rows in
            any order. Labels are any integers ≥ −1.
        paths (Sequence[str | os.PathLike]): Paths of the N images of the data set.

    Returns:
        np.ndarray: (N,) int64 in the order of ``paths``; −1 is un-clustered, clusters
        are 0…C−1 in the order of their labels in the file.

    Raises:
        ValueError: If the file is no such table, or has not exactly one row for each
            image. It names the row or the image.

    Example:
        >>> read_labels('labels.csv', ['crops/2.jpg', 'crops/a/1.jpg'])
        array([-1,  0])
    """
    rows: dict[str, int] = {}
    with open(file, encoding='utf-8-sig', errors=UNDECODABLE, newline='') as lines:
        table = csv.reader(lines)
        if next(table, None) != COLUMNS:
            raise ValueError(
                f'{file}: the first line must be {",".join(COLUMNS)}, and every other '
                'an image and its label.'
            )
        for row in table:
            if len(row) != 2 or not re.fullmatch(r'\s*-?[0-9]{1,18}\s*', row[1]):
                raise ValueError(
                    f'{file}, line {table.line_num}: {",".join(row)!r} is not a path '
                    'and an integer label.'
                )
            path, label = row[0], int(row[1])
            if label < -1 or path in rows:
                reason = 'a label below −1' if label < -1 else 'its second row'
                raise ValueError(f'{file}, line {table.line_num}: {path} has {reason}.')
            rows[path] = label
    images = relative_paths(paths)
    unlabelled = [path for path in images if path not in rows]
    if unlabelled or len(rows) > len(images):
        others = sorted(set(rows) - set(images))
        raise ValueError(
            f'{file} must have one row for each image of the data set, its path '
            f'relative to the folder that holds them all: {len(unlabelled)} images '
            f'have none (e.g. {unlabelled[:1]}), {len(others)} rows have no image '
            f'(e.g. {others[:1]}). −1 is the label of an image to leave out.'
        )
    labels = np.array([rows[path] for path in images], dtype=np.int64)
    clusters = np.unique(labels[labels >= 0])
    return np.where(labels >= 0, np.searchsorted(clusters, labels), -1)


def relative_paths(paths: Sequence[str | os.PathLike]) -> list[str]:
    """Return the paths of images relative to the folder that holds them all.

    Args:
        paths (Sequence[str | os.PathLike]): At least one.

    Returns:
        list[str]: In the same order, with ``/`` between folders.

    Raises:
        ValueError: If there is none.
    """
    if not len(paths):
        raise ValueError('There is no image.')
    absolute = [os.path.abspath(path) for path in paths]
    folder = os.path.commonpath([os.path.dirname(path) for path in absolute])
    return [Path(path).relative_to(folder).as_posix() for path in absolute]
