"""Opening and writing of galleries as LanceDB tables."""

import os
from importlib.util import find_spec
from typing import Any

import numpy as np

from .gallery import Gallery
from .parquet_file import check_utf8, embedding_table

EMBEDDING, PATH = 'embedding', 'path'
MODEL_HASH = b'model_hash'  # in the metadata of the schema
ENDING = '.lance'
_ROWS_PER_BATCH = 16384  # 16 MB at 256 dimensions


def is_lance_uri(place: str | os.PathLike) -> bool:
    """Return whether a place is the URI of a LanceDB table, by its ending.

    Args:
        place (str | os.PathLike): A path or a URI.

    Returns:
        bool: True if it ends in ``.lance``.

    Example:
        >>> is_lance_uri('s3://bucket/city.lance'), is_lance_uri('gallery.npz')
        (True, False)
    """
    return os.fspath(place).rstrip('/').endswith(ENDING)


def split_uri(uri: str | os.PathLike) -> tuple[str, str]:
    """Split a URI into the folder and the name of a table.

    Args:
        uri (str | os.PathLike): ``folder/name.lance``, on disk or in an object store.

    Returns:
        tuple[str, str]: The folder, ``.`` if none is named, and the name.

    Raises:
        ValueError: If it does not end in ``.lance``, or has no name.

    Example:
        >>> split_uri('s3://bucket/galleries/city.lance')
        ('s3://bucket/galleries', 'city')
    """
    text = os.fspath(uri).rstrip('/')
    folder, _, name = text.rpartition('/')
    name = name.removesuffix(ENDING)
    if not is_lance_uri(text) or not name:
        raise ValueError(
            f'{os.fspath(uri)!r} is not a place for a LanceDB gallery. Name it '
            '`folder/name.lance`, on disk or in an object store.'
        )
    return folder or ('/' if text.startswith('/') else '.'), name


def connect(folder: str) -> Any:
    """Open a folder of LanceDB tables.

    Args:
        folder (str): A path, or a URI of an object store.

    Returns:
        lancedb.DBConnection: The connection.

    Raises:
        ImportError: If LanceDB is missing; it says how to install it.

    Example:
        >>> connect('galleries').open_table('city')
    """
    if find_spec('lancedb') is None:
        raise ImportError(
            'Galleries that end in .lance are read and written by LanceDB, which is '
            'not installed: `pip install "mmreid-cc[lancedb]"`. An .npz file needs no '
            'further package.'
        )
    import lancedb

    return lancedb.connect(folder)


def create_table(uri: str | os.PathLike, gallery: Gallery) -> Any:
    """Write a gallery to a new table.

    Args:
        uri (str | os.PathLike): ``folder/name.lance``.
        gallery (Gallery): The gallery.

    Returns:
        lancedb.Table: A table without an index.

    Raises:
        FileExistsError: If there is a table.
        ValueError: See :func:`split_uri` and :func:`record_batches`.

    Example:
        >>> create_table('galleries/city.lance', gallery).count_rows()
        19732
    """
    folder, name = split_uri(uri)
    batches = record_batches(gallery)
    check_new(uri)
    return connect(folder).create_table(name, batches)


def check_new(uri: str | os.PathLike) -> None:
    """Check that a gallery can be written, before hours are spent on its content.

    Args:
        uri (str | os.PathLike): ``folder/name.lance``.

    Raises:
        ImportError: If LanceDB is missing.
        FileExistsError: If there is a table.
        ValueError: See :func:`split_uri`.

    Example:
        >>> check_new('galleries/new.lance')
    """
    folder, name = split_uri(uri)
    try:
        connect(folder).open_table(name)
    except (ValueError, FileNotFoundError):
        return
    raise FileExistsError(
        f'{os.fspath(uri)} exists already. Add to it by '
        '`LanceGallery(uri).add(gallery)`, or name another place.'
    )


def record_batches(gallery: Gallery) -> Any:
    """Stream a gallery as record batches, without a copy of it in memory.

    Args:
        gallery (Gallery): N images.

    Returns:
        pyarrow.RecordBatchReader: ``embedding`` (D float32), ``path`` and a column for
        each of the metadata; the hash of the network is in the schema.

    Raises:
        ValueError: If a path or text is not in UTF-8, or metadata have the name of
            another column.

    Example:
        >>> record_batches(gallery).schema.names
        ['embedding', 'path', 'cam_id']
    """
    import pyarrow as pa

    check_utf8(gallery.paths, 'LanceDB')
    for column in gallery.metadata.values():
        if column.dtype.kind == 'U':
            check_utf8(column.tolist(), 'LanceDB')

    def batch(first: int) -> Any:
        rows = slice(first, first + _ROWS_PER_BATCH)
        metadata = {name: column[rows] for name, column in gallery.metadata.items()}
        table = embedding_table(gallery.embeddings[rows], gallery.paths[rows], metadata)
        return table.to_batches()[0]

    schema = batch(0).schema.with_metadata({MODEL_HASH: gallery.model_hash.encode()})
    batches = (
        batch(first).replace_schema_metadata(schema.metadata)
        for first in range(0, len(gallery), _ROWS_PER_BATCH)
    )
    return pa.RecordBatchReader.from_batches(schema, batches)


def as_array(column: Any) -> np.ndarray:
    """Convert a column of a table to an array, as a :class:`Gallery` holds it.

    Args:
        column (pyarrow.ChunkedArray): N numbers, texts, booleans or lists of D numbers.

    Returns:
        np.ndarray: (N,), or (N, D) of lists.

    Example:
        >>> as_array(pa.chunked_array([['a', 'b']]))
        array(['a', 'b'], dtype='<U1')
    """
    import pyarrow as pa

    if pa.types.is_fixed_size_list(column.type):
        parts = [np.asarray(chunk.flatten()) for chunk in column.chunks]
        values = np.concatenate([np.empty(0, np.float32), *parts])
        return values.reshape(-1, column.type.list_size)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.array(column.to_pylist(), dtype=np.str_)
    return column.to_numpy()
