"""A gallery as a table for other programs: Apache Parquet."""

import os
from importlib.util import find_spec
from pathlib import Path

from .gallery import Gallery


def check_parquet() -> None:
    """See that Parquet can be written, before hours are spent on what it is to hold.

    Raises:
        ImportError: If pyarrow is missing; it says how to install it.

    Example:
        >>> check_parquet()
    """
    if find_spec('pyarrow') is None:
        raise ImportError(
            'Parquet is written by pyarrow, which is not installed: '
            '`pip install "mmreid-cc[extra]"`. An .npz file needs nothing.'
        )


def write_parquet(file: str | os.PathLike, gallery: Gallery) -> None:
    """Write a row for each image: ``path``, ``embedding`` and the metadata.

    Args:
        file (str | os.PathLike): Path; its folder is made.
        gallery (Gallery): What to write. An embedding is a list of D float32; the hash
            of the network stands in the metadata of the schema, under ``model_hash``.

    Raises:
        ImportError: If pyarrow is missing.
        OSError: If it cannot be written. What was there before is still there.

    Example:
        >>> write_parquet('features.parquet', gallery)
        >>> pandas.read_parquet('features.parquet').columns
        Index(['path', 'embedding'], dtype='object')
    """
    check_parquet()
    import pyarrow as pa
    from pyarrow import parquet

    dim = gallery.embeddings.shape[1]
    embeddings = pa.FixedSizeListArray.from_arrays(
        pa.array(gallery.embeddings.ravel()), dim
    )
    columns = {
        'path': pa.array(gallery.paths),
        'embedding': embeddings,
        **{name: pa.array(column) for name, column in gallery.metadata.items()},
    }
    table = pa.table(columns, metadata={'model_hash': gallery.model_hash})
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'{path.name}.part')
    try:
        parquet.write_table(table, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
