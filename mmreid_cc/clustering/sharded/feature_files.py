"""Features in Parquet files, which tasks read part by part."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmreid_cc.clustering.input_checks import as_large_features, check_normalized

from .row_files import open_parquet

EMBEDDING = 'embedding'
_MODEL_HASH = b'model_hash'  # in the metadata of the schema


class Part(NamedTuple):
    """A row group of a file of features.

    Attributes:
        file (str): Its absolute path.
        row_group (int): The number of the row group in the file.
        first (int): The number of its first row, counted over all files.
        rows (int): The number of its rows.
    """

    file: str
    row_group: int
    first: int
    rows: int


class FeatureFiles(NamedTuple):
    """Files of features, whose rows are numbered across all files.

    Attributes:
        parts (list[Part]): All row groups that have rows, in the order of the rows.
        rows (int): N.
        dim (int): D.
        dtype (str): ``'float16'`` or ``'float32'``.
        digest (str): A hash of the paths and sizes of the files, and of the network.
    """

    parts: list[Part]
    rows: int
    dim: int
    dtype: str
    digest: str


def inspect_files(files: Sequence[str | Path]) -> FeatureFiles:
    """Read the schemas of files of features, and check that they belong together.

    Args:
        files (Sequence[str | Path]): Parquet files with a column ``embedding`` of lists
            of D float16 or float32 numbers.

    Returns:
        FeatureFiles: Their parts, sizes and types.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: If a file has no such column, the files do not belong together, or
            they hold no row.

    Example:
        >>> inspect_files(['features.parquet']).rows
        1000000
    """
    import pyarrow as pa

    digest, parts, first = hashlib.sha256(), [], 0
    known: dict[str, tuple[Any, Path]] = {}

    def compare(what: str, value: Any, file: Path) -> None:
        other, before = known.setdefault(what, (value, file))
        if other != value:
            raise ValueError(
                f'{file} and {before} do not belong together: {what} {value} and '
                f'{other}. Cluster embeddings of one network, extracted alike.'
            )

    for file in map(Path, files):
        with open_parquet(file) as source:
            schema = source.schema_arrow
            if EMBEDDING not in schema.names:
                raise ValueError(
                    f'{file} has no column {EMBEDDING!r}, but {schema.names}. Take '
                    'files that tools/extract_features.py wrote.'
                )
            kind = schema.field(EMBEDDING).type
            if not pa.types.is_fixed_size_list(kind) or str(kind.value_type) not in (
                'halffloat',
                'float',
            ):
                raise ValueError(
                    f'{file}: the type of {EMBEDDING!r} must be a fixed_size_list of '
                    f'float16 or float32 numbers, got {kind}.'
                )
            half = str(kind.value_type) == 'halffloat'
            compare('dimensions', kind.list_size, file)
            compare('numbers', 'float16' if half else 'float32', file)
            model = (schema.metadata or {}).get(_MODEL_HASH, b'unknown').decode()
            compare('model hash', model, file)
            for number in range(source.num_row_groups):
                rows = source.metadata.row_group(number).num_rows
                if rows:
                    parts.append(Part(str(file.resolve()), number, first, rows))
                    first += rows
        digest.update(f'{file.resolve()} {file.stat().st_size} {model}\n'.encode())
    if not parts:
        names = ', '.join(map(str, files[:3]))
        raise ValueError(f'There is no image in {names or "no file"}.')
    if first > np.iinfo(np.int32).max:
        raise ValueError(
            f'{first} images are more than the {np.iinfo(np.int32).max} that have a '
            'number. Cluster them in several runs.'
        )
    dim, dtype = known['dimensions'][0], known['numbers'][0]
    return FeatureFiles(parts, first, dim, dtype, digest.hexdigest()[:16])


def in_batches(parts: Sequence[Part], size: int) -> list[list[Part]]:
    """Divide parts into batches of about ``size`` rows.

    Example:
        >>> parts = [Part('a', 0, 0, 3), Part('b', 0, 3, 3), Part('c', 0, 6, 3)]
        >>> [len(batch) for batch in in_batches(parts, 5)]
        [2, 1]
    """
    batches: list[list[Part]] = []
    for part in parts:
        if batches and part.first - batches[-1][0].first < size:
            batches[-1].append(part)
        else:
            batches.append([part])
    return batches


def read_batch(parts: Sequence[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Read the features of parts that follow each other.

    Args:
        parts (Sequence[Part]): At least one.

    Returns:
        tuple[np.ndarray, np.ndarray]: The numbers of their rows, (R,) int32, and the
        features, (R, D).

    Raises:
        FileNotFoundError, ValueError: See :func:`read_part`.

    Example:
        >>> rows, features = read_batch(files.parts[:2])
    """
    last = parts[-1].first + parts[-1].rows
    rows = np.arange(parts[0].first, last, dtype=np.int32)
    return rows, np.concatenate([read_part(part) for part in parts])


def read_part(part: Part) -> np.ndarray:
    """Read the features of a part.

    Args:
        part (Part): The part to read.

    Returns:
        np.ndarray: (R, D) float16 or float32.

    Raises:
        FileNotFoundError: If the file is gone.
        ValueError: If the file has changed, or features are not finite or not
            normalised.

    Example:
        >>> read_part(files.parts[0]).shape
        (4096, 256)
    """
    file = Path(part.file)
    with open_parquet(file) as source:
        if part.row_group < source.num_row_groups:
            table = source.read_row_group(part.row_group, columns=[EMBEDDING])
        if part.row_group >= source.num_row_groups or table.num_rows != part.rows:
            raise ValueError(
                f'{file} has changed since the run began. Start again with another '
                '--work-dir.'
            )
    column = table[EMBEDDING]
    lists = np.concatenate([chunk.flatten().to_numpy() for chunk in column.chunks])
    features = as_large_features(lists.reshape(part.rows, -1), str(file))
    try:
        check_normalized(features)
    except ValueError as error:
        raise ValueError(f'{file}: {error}') from error
    return features
