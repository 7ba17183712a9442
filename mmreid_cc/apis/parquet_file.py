"""A gallery as a table for other programs: Apache Parquet."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from mmreid_cc.atomic_writing import replacing

from .gallery import Gallery


def check_parquet(paths: Sequence[str]) -> None:
    """See that Parquet can be written, before hours are spent on what it is to hold.

    Args:
        paths (Sequence[str]): Of the images.

    Raises:
        ImportError: If pyarrow is missing; it says how to install it.
        ValueError: If a path is not in UTF-8, as texts in Parquet are.

    Example:
        >>> check_parquet(['crops/a.jpg'])
    """
    if find_spec('pyarrow') is None:
        raise ImportError(
            'Parquet is written by pyarrow, which is not installed: '
            '`pip install "mmreid-cc[extra]"`. An .npz file needs nothing.'
        )
    for path in paths:
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f'The file name {path!r} is not in UTF-8, and Parquet holds no other '
                'text. Rename the file, or write an .npz, which holds any name.'
            ) from error


def write_parquet(file: str | os.PathLike, gallery: Gallery) -> None:
    """Write a row for each image: ``path``, ``embedding`` and the metadata.

    Args:
        file (str | os.PathLike): Path; its folder is made.
        gallery (Gallery): What to write. An embedding is a list of D float32; the hash
            of the network stands in the metadata of the schema, under ``model_hash``.

    Raises:
        ImportError: If pyarrow is missing.
        OSError: If it cannot be written. What was there before is still there.
        ValueError: If a path is not in UTF-8, or metadata have the name of one of the
            other columns.

    Example:
        >>> write_parquet('features.parquet', gallery)
        >>> pandas.read_parquet('features.parquet').columns
        Index(['path', 'embedding'], dtype='object')
    """
    check_parquet(gallery.paths)
    taken = [name for name in ('path', 'embedding') if name in gallery.metadata]
    if taken:
        raise ValueError(
            f'The metadata {" and ".join(taken)} have the name of a column that the '
            'table has anyway. Give them another name.'
        )
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
    with replacing(Path(file)) as part:
        parquet.write_table(table, part)
