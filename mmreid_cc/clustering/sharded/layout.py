"""Where the rows of all stages lie: in files of groups of similar rows."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .row_files import Ragged, Rows, join, read_places, take, write_rows

ROWS_PER_BLOCK = 16384  # whose neighbourhoods a worker holds at once


@dataclass(frozen=True)
class Layout:
    """Rows in the order of their cells, divided into groups, with a file for each
    stage.

    A row always has its number in the files of features. Its place is its position in
    the order of cells. Most neighbours of a row therefore lie in few files.

    Args:
        folder (str): The folder of all stages, which all machines must see.
        rows_per_group (int): The rows of a group; the last group may have fewer.
        order (np.ndarray): The row at each place, (N,) int32.
        places (np.ndarray): The place of each row, (N,) int32.

    Example:
        >>> order = np.array([2, 0, 1], np.int32)
        >>> layout = Layout('work', 2, order, np.argsort(order).astype(np.int32))
        >>> layout.rows(1)
        array([1], dtype=int32)
    """

    folder: str
    rows_per_group: int
    order: np.ndarray
    places: np.ndarray

    @property
    def groups(self) -> int:
        """The number of groups."""
        return -(-len(self.order) // self.rows_per_group)

    def rows(self, group: int) -> np.ndarray:
        """Return the rows of a group, (R,) int32, in the order of their places."""
        first = group * self.rows_per_group
        return self.order[first : first + self.rows_per_group].copy()

    def write(self, stage: str, group: int, columns: Mapping[str, Rows]) -> None:
        """Write the results of a stage for the rows of a group."""
        write_rows(stage_file(self.folder, stage, group), columns)

    def read(self, stage: str, rows: np.ndarray, *names: str) -> list[Any]:
        """Read the results of a stage for some rows.

        Args:
            stage (str): Its name.
            rows (np.ndarray): Distinct rows, (R,) integers.
            *names (str): Columns.

        Returns:
            list[Rows]: Each column, in the order of the rows.
        """
        places = self.places[rows]
        order = np.argsort(places)
        back = np.empty(len(rows), dtype=np.int64)
        back[order] = np.arange(len(rows))
        found = self.read_at(stage, places[order], *names)
        return [take(column, back) for column in found]

    def read_at(self, stage: str, places: np.ndarray, *names: str) -> list[Any]:
        """Read the results of a stage for the rows at some places.

        Args:
            stage (str): Its name.
            places (np.ndarray): Places in ascending order, (R,) integers.
            *names (str): Columns.

        Returns:
            list[Rows]: Each column.
        """
        size = self.rows_per_group
        groups, starts = np.unique(places // size, return_index=True)
        if not len(places):  # as many rows of the first file
            groups = starts = np.zeros(1, dtype=np.int64)
        found: list[Any] = [None] * len(names)
        parts: list[list[Rows]] = [[] for _ in names]
        inside = np.split(places % size, starts[1:])
        for group, which, start in zip(groups, inside, starts, strict=True):
            file = stage_file(self.folder, stage, group)
            for c, column in enumerate(read_places(file, names, which)):
                if isinstance(column, Ragged):
                    parts[c].append(column)
                    continue
                if found[c] is None:
                    found[c] = np.empty((len(places), column.shape[1]), column.dtype)
                found[c][start : start + len(which)] = column
        return [
            join(part) if part else whole
            for part, whole in zip(parts, found, strict=True)
        ]

    def placed(self, rows: np.ndarray) -> np.ndarray:
        """Return the places of rows, int32 of the same shape; −1 stays −1."""
        return np.where(rows < 0, np.int32(-1), self.places[rows])

    def named(self, places: np.ndarray) -> np.ndarray:
        """Return the rows at places, int32 of the same shape; −1 stays −1."""
        return np.where(places < 0, np.int32(-1), self.order[places])

    def by_blocks(
        self, stage: str, group: int, find: Callable[[np.ndarray], Mapping[str, Rows]]
    ) -> None:
        """Compute the results of a stage for a group, block by block, and write them.

        Args:
            stage (str): Its name.
            group (int): The number of the group.
            find (Callable): Takes rows, (R,) int32, and returns the columns of the
                stage.
        """
        parts = [find(rows) for rows in self.blocks(group)]
        self.write(
            stage,
            group,
            {name: join([part[name] for part in parts]) for name in parts[0]},
        )

    def blocks(self, group: int) -> Iterator[np.ndarray]:
        """Yield the rows of a group, block by block."""
        rows = self.rows(group)
        for first in range(0, len(rows), ROWS_PER_BLOCK):
            yield rows[first : first + ROWS_PER_BLOCK]


class Universe:
    """The rows that a task knows, numbered in their order.

    The kernels of one machine number rows from 0, and hold arrays with an entry for
    each row. They break ties and add up in the order of the numbers. In a universe of
    rows, their results are therefore the same as among all rows, bit for bit. Where the
    order does not matter, a universe of places is faster, because similar rows are
    neighbours in memory.

    Args:
        *rows (np.ndarray): Rows or places, int32 of any shape; negative numbers are
            left out.

    Example:
        >>> universe = Universe(np.array([7, 3]), np.array([[3, -1]]))
        >>> universe.rows, universe.of(np.array([7, 3, 5]))
        (array([3, 7], dtype=int32), array([ 1,  0, -1], dtype=int32))
    """

    def __init__(self, *rows: np.ndarray) -> None:
        last = max((int(part.max()) for part in rows if part.size), default=-1)
        if last <= sum(part.size for part in rows):  # marks cost less than sorting
            marks = np.zeros(last + 2, dtype=bool)
            for part in rows:
                marks[part] = True  # none marks the end
            self.rows = np.flatnonzero(marks[:-1]).astype(np.int32)
        else:
            every = np.unique(np.concatenate([np.unique(part) for part in rows]))
            self.rows = every[every >= 0].astype(np.int32)

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the numbers of rows here, int32 of the same shape; −1 if a row is not
        known.
        """
        if not len(self.rows):
            return np.full(rows.shape, -1, dtype=np.int32)
        first, last = int(self.rows[0]), int(self.rows[-1])
        if last - first <= rows.size:  # a table costs less than a search for each
            table = np.full(last - first + 2, -1, dtype=np.int32)
            table[self.rows - first] = np.arange(len(self.rows), dtype=np.int32)
            known = (rows >= first) & (rows <= last)
            return table[np.where(known, rows - first, last - first + 1)]
        found = np.searchsorted(self.rows, rows).astype(np.int32)
        found[found == len(self.rows)] = 0
        return np.where(self.rows[found] == rows, found, np.int32(-1))

    def named(self, numbers: np.ndarray) -> np.ndarray:
        """Return the rows with these numbers, int32 of the same shape; −1 stays −1."""
        return np.where(numbers < 0, np.int32(-1), self.rows[numbers])


def stage_file(folder: str, stage: str, number: int) -> Path:
    """Return the file of a stage for a group, or for a batch of the features.

    Example:
        >>> stage_file('work', 'lists', 3)
        PosixPath('work/lists/000003.parquet')
    """
    return Path(folder, stage, f'{number:06d}.parquet')


def discard(folder: str, stages: Sequence[str]) -> None:
    """Remove stages that no later stage reads."""
    for stage in stages:
        shutil.rmtree(Path(folder, stage), ignore_errors=True)
