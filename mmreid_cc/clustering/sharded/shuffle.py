"""Move entries of tables to the groups that they belong to, through files."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .layout import Layout, stage_file
from .row_files import read_chunks, write_rows


def scatter(
    layout: Layout,
    stage: str,
    number: int,
    targets: np.ndarray,
    columns: Mapping[str, np.ndarray],
) -> None:
    """Write entries, with one chunk for each group.

    Args:
        layout (Layout): Where the rows lie.
        stage (str): Its name.
        number (int): The number of the file.
        targets (np.ndarray): The rows to whose groups the entries belong, (E,)
            integers.
        columns (Mapping[str, np.ndarray]): The entries, (E,) or (E, K) each.

    Example:
        >>> scatter(layout, 'reverse', 0, targets, dict(source=sources))
    """
    groups = layout.places[targets] // layout.rows_per_group
    order = np.argsort(groups, kind='stable')
    bounds = np.searchsorted(groups[order], np.arange(layout.groups + 1))
    write_rows(
        stage_file(layout.folder, stage, number),
        {n: c[order] if c.ndim == 2 else c[order, None] for n, c in columns.items()},
        bounds,
    )


def gather(
    layout: Layout, stage: str, files: int, group: int, names: list[str]
) -> list[Any]:
    """Read the entries of a group, in the order of the files and their entries.

    Args:
        layout (Layout): Where the rows lie.
        stage (str): Its name.
        files (int): The number of files that :func:`scatter` has written.
        group (int): The number of the group.
        names (list[str]): The columns to read.

    Returns:
        list[np.ndarray]: The columns, (E,) or (E, K) each.

    Example:
        >>> gather(layout, 'reverse', 4, 0, ['source'])
        [array([3, 5], dtype=int32)]
    """
    parts: list[list[np.ndarray]] = []
    for number in range(files):
        file = stage_file(layout.folder, stage, number)
        parts.extend(read_chunks(file, names, [group]))
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    return [c[:, 0] if c.shape[1] == 1 else c for c in columns]
