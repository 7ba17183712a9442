"""Access to the rows of a LanceDB table by their position."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from .lance_table import PATH, as_array

_ROWS_PER_READ = 8192
ROW_ID = '_rowid'
_OFFSET_BITS = 32  # of a row id; the bits above name the fragment
_DELETED = (
    'Rows of the gallery were deleted by another program, and the numbers of the '
    'others are no longer known. LanceDB keeps earlier versions: '
    '`table.list_versions()` and `table.restore(version)` bring one back.'
)


class TableRows:
    """One version of a table, which does not change while others write.

    LanceDB finds rows by an id: fragment and offset in it. Their position, in the order
    in which they were added, follows from where each fragment starts. Compaction gives
    rows other ids, but keeps their positions.

    Args:
        table (lancedb.Table): Table of a gallery, whose rows are only added; opened for
            this object alone.
        known (TableRows, optional): An earlier version of the same table; what has not
            changed since is not read again. Defaults to None.

    Attributes:
        table (lancedb.Table): As given.
        count (int): N rows.

    Raises:
        ValueError: If rows of the table were deleted, by other programs, so that the
            others have other positions than in the earlier version.

    Example:
        >>> rows = TableRows(connect('galleries').open_table('city'))
        >>> rows.read('path', np.array([5, 0]))
        array(['crops/5.jpg', 'crops/0.jpg'], dtype='<U11')
    """

    def __init__(self, table: Any, known: 'TableRows | None' = None) -> None:
        self.table = table
        self.count = table.count_rows()
        self._fragments: np.ndarray = np.empty(0, dtype=np.int64)
        self._starts: np.ndarray = np.empty(0, dtype=np.int64)
        read = 0
        if known is not None and known.count:
            known._check_kept(table)
            if known._same_in(table):
                self._fragments, self._starts = known._fragments, known._starts
                read = known.count
        ids, starts = self._fragments, self._starts
        new = table.search().with_row_id(True).select([ROW_ID]).offset(read)
        for batch in new.to_batches():
            fragments, offsets = _split(batch.column(ROW_ID).to_numpy())
            expected = np.arange(len(offsets)) + read
            last = ids[-1] if len(ids) else -1
            changes = np.flatnonzero(np.diff(fragments, prepend=last))
            ids = np.append(ids, fragments[changes])
            starts = np.append(starts, changes + read)
            inside = expected - starts[np.searchsorted(starts, expected, 'right') - 1]
            if (inside != offsets).any():
                raise ValueError(_DELETED)
            read += len(offsets)
        self._fragments, self._starts = ids, starts
        self._by_id = np.argsort(ids)
        self._last_path = (
            str(self.read(PATH, np.array([self.count - 1]))[0]) if self.count else ''
        )

    def positions(self, row_ids: np.ndarray) -> np.ndarray:
        """Return the positions of rows.

        Args:
            row_ids (np.ndarray): (R,) uint64 of this version.

        Returns:
            np.ndarray: (R,) int64 in 0…N − 1.
        """
        fragments, offsets = _split(row_ids)
        place = np.searchsorted(self._fragments, fragments, sorter=self._by_id)
        return self._starts[self._by_id[place]] + offsets

    def read(self, column: str, rows: np.ndarray) -> np.ndarray:
        """Read some entries of a column.

        Args:
            column (str): Its name.
            rows (np.ndarray): (R,) integers in 0…N − 1, in any order.

        Returns:
            np.ndarray: (R,), or (R, D) of embeddings.
        """
        unique, inverse = np.unique(rows, return_inverse=True)
        if not len(unique):  # LanceDB takes no empty list
            return self.read(column, np.zeros(1, np.int64))[:0]
        parts = [
            as_array(
                self.table.take_offsets(unique[first : first + _ROWS_PER_READ].tolist())
                .select([column])
                .to_arrow()[column]
            )
            for first in range(0, len(unique), _ROWS_PER_READ)
        ]
        return np.concatenate(parts)[inverse]

    def blocks(self, column: str, first: int = 0) -> Iterator[np.ndarray]:
        """Read a column from a row on, a block at a time.

        Args:
            column (str): Its name.
            first (int): The first row. Defaults to 0.

        Yields:
            np.ndarray: (R,), or (R, D) of embeddings.
        """
        import pyarrow as pa

        for batch in self.table.search().select([column]).offset(first).to_batches():
            yield as_array(pa.chunked_array([batch.column(column)]))

    def _check_kept(self, table: Any) -> None:
        """See that a later version has the rows of this one, at the same positions.

        Whatever was deleted, the last row is gone or no longer where it was.

        Raises:
            ValueError: If it has other rows.
        """
        last = self.count - 1
        found = ''
        if table.count_rows() > last:
            row = table.take_offsets([last]).select([PATH]).to_arrow()
            found = str(as_array(row[PATH])[0])
        if found != self._last_path:
            raise ValueError(_DELETED)

    def _same_in(self, table: Any) -> bool:
        """Whether the fragments of this version are those of a later one, too."""
        starts = self._starts.tolist()
        found = table.take_offsets(starts).with_row_id().select([PATH]).to_arrow()
        return np.array_equal(_split(found[ROW_ID].to_numpy())[0], self._fragments)


class LazyColumn(Sequence):
    """A column whose entries are read when they are indexed.

    Args:
        rows (TableRows): Rows of the table.
        column (str): Its name.
        shape (tuple[int, ...]): Shape of the whole.

    Example:
        >>> gallery.paths[7], gallery.embeddings[[3, 5]].shape
        ('crops/7.jpg', (2, 256))
    """

    def __init__(self, rows: TableRows, column: str, shape: tuple[int, ...]) -> None:
        self._rows, self._column, self.shape = rows, column, shape

    def __len__(self) -> int:
        return self.shape[0]

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Any: ...
    def __getitem__(self, index: Any) -> Any:
        """Read one entry, or an array of several."""
        rows = np.arange(len(self))[index]
        found = self._rows.read(self._column, np.atleast_1d(rows))
        if np.ndim(rows):
            return found
        return found[0].item() if found[0].ndim == 0 else found[0]

    def __iter__(self) -> Iterator[Any]:
        for block in self._rows.blocks(self._column):
            yield from block.tolist() if block.ndim == 1 else block

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Read all entries into memory."""
        parts = list(self._rows.blocks(self._column))
        return np.concatenate(parts).astype(dtype or parts[0].dtype, copy=False)


def _split(row_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split row ids into fragments and offsets, int64 each."""
    ids = row_ids.astype(np.int64)
    return ids >> _OFFSET_BITS, ids & ((1 << _OFFSET_BITS) - 1)
