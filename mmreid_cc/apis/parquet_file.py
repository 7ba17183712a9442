"""The writing of galleries as Parquet tables for other programs."""

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_cc.atomic_writing import replacing

from .gallery import Gallery


def check_parquet(paths: Sequence[str]) -> None:
    """Check that Parquet can be written, before hours are spent on its content.

    Args:
        paths (Sequence[str]): Paths of the images.

    Raises:
        ImportError: If pyarrow is missing; it says how to install it.
        ValueError: If a path is not in UTF-8, as texts in Parquet are.

    Example:
        >>> check_parquet(['crops/a.jpg'])
    """
    if find_spec('pyarrow') is None:
        raise ImportError(
            'Parquet is written by pyarrow, which is not installed: '
            '`pip install "mmreid-cc[extra]"`. An .npz file needs no further package.'
        )
    check_utf8(paths, 'Parquet')


def check_utf8(texts: Sequence[str], format_name: str) -> None:
    """Check that texts can be written to a file that holds UTF-8 only.

    Args:
        texts (Sequence[str]): File names, or metadata.
        format_name (str): Name of the file, for the message.

    Raises:
        ValueError: If one of them is no UTF-8, as file names can be.

    Example:
        >>> check_utf8(['crops/a.jpg'], 'Parquet')
    """
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f'The file name {text!r} is not in UTF-8, as {format_name} requires. '
                'Rename the file, or write an .npz file, which can hold any name.'
            ) from error


def write_parquet(file: str | os.PathLike, gallery: Gallery) -> None:
    """Write a row for each image: ``path``, ``embedding`` and the metadata.

    Args:
        file (str | os.PathLike): Path; its folder is created.
        gallery (Gallery): What to write. An embedding is a list of D float32; the hash
            of the network stands in the metadata of the schema, under ``model_hash``.

    Raises:
        ImportError: If pyarrow is missing.
        OSError: If it cannot be written. An existing file does not change.
        ValueError: If a path is not in UTF-8, or metadata have the name of one of the
            other columns.

    Example:
        >>> write_parquet('features.parquet', gallery)
        >>> pandas.read_parquet('features.parquet').columns
        Index(['path', 'embedding'], dtype='object')
    """
    check_parquet(gallery.paths)
    from pyarrow import parquet

    table = embedding_table(gallery.embeddings, gallery.paths, gallery.metadata)
    table = table.replace_schema_metadata({'model_hash': gallery.model_hash})
    with replacing(Path(file)) as part:
        parquet.write_table(table, part)


def embedding_table(
    embeddings: np.ndarray, paths: Sequence[str], metadata: Mapping[str, np.ndarray]
) -> Any:
    """Build a table of images: ``path``, ``embedding`` and the metadata.

    Args:
        embeddings (np.ndarray): (N, D) float16 or float32.
        paths (Sequence[str]): (N,).
        metadata (Mapping[str, np.ndarray]): By name, (N,) each.

    Returns:
        pyarrow.Table: An embedding is a list of D numbers.

    Raises:
        ValueError: If metadata have the name of one of the other columns.

    Example:
        >>> embedding_table(np.eye(2, dtype=np.float32), ['a', 'b'], {}).column_names
        ['path', 'embedding']
    """
    import pyarrow as pa

    taken = [name for name in ('path', 'embedding') if name in metadata]
    if taken:
        raise ValueError(
            f'The metadata {" and ".join(taken)} have the name of another column of '
            'the table. Rename them.'
        )
    values = pa.array(np.ravel(embeddings))
    return pa.table(
        {
            'path': pa.array(paths, pa.string()),
            'embedding': pa.FixedSizeListArray.from_arrays(values, embeddings.shape[1]),
            **{name: pa.array(column) for name, column in metadata.items()},
        }
    )
