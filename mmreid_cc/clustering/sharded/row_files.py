"""Rows of arrays in Parquet files, which can be read without reading the whole file."""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmreid_cc.clustering.input_checks import check_count

ROWS_PER_CHUNK = 1024  # are read at once
_DTYPE = b'dtype'  # in the metadata of a column


class Ragged(NamedTuple):
    """Rows of unequal length.

    Attributes:
        indptr (np.ndarray): (R + 1,) int64.
        entries (np.ndarray): (L,); row i is ``entries[indptr[i]:indptr[i + 1]]``.

    Example:
        >>> Ragged(np.array([0, 2, 3]), np.array([5, 6, 7])).take(np.array([1, 0]))
        Ragged(indptr=array([0, 1, 3]), entries=array([7, 5, 6]))
    """

    indptr: np.ndarray
    entries: np.ndarray

    def take(self, rows: np.ndarray) -> 'Ragged':
        """Return some of the rows, (R',) integers, in any order."""
        sizes = np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        starts = np.repeat(self.indptr[:-1][rows] - indptr[:-1], sizes)
        return Ragged(indptr, self.entries[starts + np.arange(indptr[-1])])


Rows = np.ndarray | Ragged  # (R, K), or of unequal length


def take(rows: Rows, which: np.ndarray) -> Rows:
    """Return some rows, (R',) integers, in any order.

    Example:
        >>> take(np.eye(2), np.array([1]))
        array([[0., 1.]])
    """
    return rows.take(which) if isinstance(rows, Ragged) else rows[which]


def join(parts: Sequence[Rows]) -> Rows:
    """Join parts of the same column, at least one.

    Example:
        >>> join([np.eye(1), np.zeros((1, 1))])
        array([[1.],
               [0.]])
    """
    ragged = [part for part in parts if isinstance(part, Ragged)]
    if not ragged:
        return np.concatenate(parts)
    sizes = np.concatenate([np.diff(part.indptr) for part in ragged])
    indptr = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    return Ragged(indptr, np.concatenate([part.entries for part in ragged]))


def write_rows(
    file: Path,
    columns: Mapping[str, Rows],
    bounds: Sequence[int] | np.ndarray | None = None,
) -> None:
    """Write rows to a file, which is complete or not there. Its folder must exist.

    Each column stores a row as bytes: the numbers as NumPy holds them.

    Args:
        file (Path): To write.
        columns (Mapping[str, Rows]): Columns of R rows, by name.
        bounds (Sequence[int], optional): The first row of each chunk, and R at the end.
            Defaults to None: chunks of 1024 rows.

    Raises:
        OSError: If the file cannot be written. If the disk is full, the error says what
            to do.

    Example:
        >>> write_rows(Path('rows.parquet'), dict(numbers=np.arange(6).reshape(3, 2)))
    """
    import pyarrow as pa
    from pyarrow import parquet

    arrays, fields = [], []
    for name, rows in columns.items():
        array = _to_arrow(rows)
        dtype = (rows.entries if isinstance(rows, Ragged) else rows).dtype
        arrays.append(array)
        fields.append(pa.field(name, array.type, metadata={_DTYPE: dtype.str}))
    schema = pa.schema(fields)
    table = pa.Table.from_arrays(arrays, schema=schema)
    if bounds is None:
        bounds = [*range(0, table.num_rows, ROWS_PER_CHUNK), table.num_rows]
    # Ray may consider a worker dead that still writes, so each has its own file.
    part = file.with_name(f'.{file.name}.{os.uname().nodename}-{os.getpid()}')
    try:
        with parquet.ParquetWriter(
            part,
            schema,
            compression='none',
            use_dictionary=False,
            write_statistics=False,
        ) as writer:
            for first, last in pairwise(bounds):
                chunk = table.slice(first, last - first)
                writer.write_table(chunk, row_group_size=max(1, len(chunk)))
        part.replace(file)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(
            error.errno,
            f'No space is left on {os.uname().nodename} for what clustering keeps in '
            f'{file.parent.parent}. Make room, or name another --work-dir, and start '
            'again; finished parts are kept',
        ) from error
    finally:
        part.unlink(missing_ok=True)


def read_chunks(
    file: Path, names: Sequence[str], chunks: Sequence[int] | np.ndarray | None = None
) -> Iterator[list[Any]]:
    """Read a file chunk by chunk.

    Args:
        file (Path): A file that :func:`write_rows` wrote.
        names (Sequence[str]): The columns to read.
        chunks (Sequence[int], optional): Numbers of chunks, in ascending order.
            Defaults to None: all.

    Yields:
        list[Rows]: The columns of a chunk.

    Raises:
        FileNotFoundError: If the file is gone.

    Example:
        >>> [len(numbers) for (numbers,) in read_chunks(file, ['numbers'])]
        [3]
    """
    with open_parquet(file) as source:
        fields = [source.schema_arrow.field(name) for name in names]
        every = range(source.num_row_groups) if chunks is None else chunks
        for chunk in every:
            table = source.read_row_group(int(chunk), columns=list(names))
            yield [
                _from_arrow(
                    table[field.name], np.dtype(field.metadata[_DTYPE].decode())
                )
                for field in fields
            ]


def read_places(
    file: Path, names: Sequence[str], places: np.ndarray | None = None
) -> list[Any]:
    """Read some rows of a file that has chunks of 1024 rows.

    Args:
        file (Path): A file that :func:`write_rows` wrote.
        names (Sequence[str]): The columns to read.
        places (np.ndarray | None): The rows, (R,) integers in ascending order. Defaults
            to None: all.

    Returns:
        list[Rows]: Each column.

    Raises:
        FileNotFoundError: If the file is gone.

    Example:
        >>> read_places(file, ['numbers'], np.array([2]))
        [array([[4, 5]])]
    """
    if places is None:
        parts = list(read_chunks(file, names))
    else:
        chunks, starts = np.unique(places // ROWS_PER_CHUNK, return_index=True)
        if not len(places):  # as many rows of the first chunk
            chunks = starts = np.zeros(1, dtype=np.int64)
        inside = np.split(places % ROWS_PER_CHUNK, starts[1:])
        parts = [
            [take(rows, which) for rows in columns]
            for columns, which in zip(
                read_chunks(file, names, chunks), inside, strict=True
            )
        ]
    return [join(column) for column in zip(*parts, strict=True)]


def open_parquet(file: Path) -> Any:
    """Open a Parquet file.

    Args:
        file (Path): The file to open.

    Returns:
        pyarrow.parquet.ParquetFile: The open file; close it after use.

    Raises:
        FileNotFoundError: If the file does not exist. The error says what to do.
        ValueError: If the file is not a Parquet file.

    Example:
        >>> with open_parquet(Path('rows.parquet')) as source:
        ...     source.metadata.num_rows
        3
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(file)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'{file} is not there, as seen from {os.uname().nodename}. All machines '
            'must see the features and --work-dir at the same paths. Put it back, or '
            'start again with another --work-dir.'
        ) from error
    except pa.ArrowInvalid as error:
        raise ValueError(f'{file} is no Parquet file: {error}') from error


def _to_arrow(rows: Rows) -> Any:
    import pyarrow as pa

    if isinstance(rows, Ragged):
        entries = np.ascontiguousarray(rows.entries)
        offsets = rows.indptr.astype(np.int64) * entries.itemsize
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(entries)]
        return pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(offsets) - 1, buffers
        )
    rows = np.ascontiguousarray(rows)
    check_count('the columns of a row', rows.shape[1])
    width = pa.binary(rows.shape[1] * rows.itemsize)
    return pa.FixedSizeBinaryArray.from_buffers(
        width, len(rows), [None, pa.py_buffer(rows)]
    )


def _from_arrow(column: Any, dtype: np.dtype) -> Rows:
    import pyarrow as pa

    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # without rows
        array = (
            pa.concat_arrays(array.chunks)
            if array.chunks
            else pa.array([], column.type)
        )
    if pa.types.is_fixed_size_binary(array.type):
        width = array.type.byte_width // dtype.itemsize
        data = np.frombuffer(array.buffers()[1] or b'', dtype)
        first = array.offset * width
        return data[first : first + len(array) * width].reshape(len(array), width)
    wide = pa.types.is_large_binary(array.type)
    ends = np.frombuffer(array.buffers()[1], np.int64 if wide else np.int32)
    offsets = ends[array.offset : array.offset + len(array) + 1].astype(np.int64)
    data = np.frombuffer(array.buffers()[2] or b'', np.uint8)
    data = data[offsets[0] : offsets[-1]]
    return Ragged((offsets - offsets[0]) // dtype.itemsize, data.view(dtype).copy())
