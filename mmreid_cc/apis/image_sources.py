"""Sources of many images: object stores, and lists as Parquet."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import fsspec
import numpy as np

from mmreid_cc.datasets.crops import IMAGE_SUFFIXES

from .images import each_image
from .lance_table import EMBEDDING, PATH, as_array

PARQUET = '.parquet'


def list_sources(given: Sequence[str]) -> list[str]:
    """List images, also those below a folder of an object store.

    Args:
        given (Sequence[str]): Images and folders; a URL that ends in ``/`` is a folder
            of a file system that fsspec knows, such as ``s3://bucket/crops/``.

    Returns:
        list[str]: Paths and URLs, those of a folder sorted.

    Raises:
        ValueError: If a folder holds no image.
        ImportError: If fsspec lacks the package for an object store; it names it.

    Example:
        >>> list_sources(['s3://bucket/crops/'])[0]
        's3://bucket/crops/0002_c1s1_000451_03.jpg'
    """
    paths: list[str] = []
    for source in given:
        if '://' in source and source.endswith('/'):
            paths += _below(source)
        else:
            paths += [str(path) for path in each_image(source)]
    return paths


def read_parquet_list(file: str) -> tuple[list[str], dict[str, np.ndarray]]:
    """Read a list of images from a Parquet table.

    Args:
        file (str): A path or URL. Its column ``path`` names images, and further columns
            are their metadata; embeddings are ignored.

    Returns:
        tuple[list[str], dict[str, np.ndarray]]: Paths of N images as in the table;
        metadata (N,) each.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If there is no column ``path``, it is empty, or a value is missing.

    Example:
        >>> read_parquet_list('crops.parquet')[1]['cam_id']
        array([1, 1, 2])
    """
    from pyarrow import parquet

    with fsspec.open(file, 'rb') as stream:
        table = parquet.read_table(stream)
    if PATH not in table.column_names or not table.num_rows:
        raise ValueError(
            f'{file} must list images in a column {PATH!r}; it has {table.num_rows} '
            f'rows and the columns {", ".join(table.column_names)}.'
        )
    names = [name for name in table.column_names if name != EMBEDDING]
    gaps = [name for name in names if table[name].null_count]
    if gaps:
        raise ValueError(
            f'{file} has missing values in {", ".join(gaps)}. Fill them in: −1 or an '
            'empty text for what is unknown, NaN for times.'
        )
    columns = {name: as_array(table[name]) for name in names}
    return columns.pop(PATH).tolist(), columns


def _below(url: str) -> list[str]:
    """Return the images below a folder of an object store, sorted."""
    files, folder = fsspec.url_to_fs(url)
    found = [
        files.unstrip_protocol(path)
        for path in sorted(files.find(folder))
        if PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES
    ]
    if not found:
        raise ValueError(
            f'The folder {url} holds no image: no file that ends in '
            f'{", ".join(IMAGE_SUFFIXES)}.'
        )
    return found
