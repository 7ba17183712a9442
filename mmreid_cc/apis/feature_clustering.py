"""Clustering of embeddings in files, in one process or by many workers."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_cc.atomic_writing import replacing
from mmreid_cc.clustering import DBSCAN, AutoDBSCAN
from mmreid_cc.clustering.sharded.feature_files import inspect_files, read_batch
from mmreid_cc.clustering.sharded.row_files import open_parquet

from .lance_table import PATH
from .parquet_file import check_parquet
from .shard_files import PLAN, read_plan, shard_file

LABEL = 'label'


def feature_files(given: Sequence[str | os.PathLike]) -> list[Path]:
    """Return the files of embeddings that a command line names.

    Args:
        given (Sequence[str | os.PathLike]): Parquet files, and folders of
            ``tools/extract_features.py --ray``.

    Returns:
        list[Path]: The files, in the order of their images.

    Raises:
        ImportError: If pyarrow is missing.
        FileNotFoundError: If a file or shard is not there.
        ValueError: If a file is named twice.

    Example:
        >>> feature_files(['features'])
        [PosixPath('features/shard-000000.parquet'), ...]
    """
    check_parquet([])
    files: list[Path] = []
    for place in map(Path, given):
        if place.is_dir():
            shards = range(read_plan(place).shards)
            files.extend(shard_file(place, shard) for shard in shards)
        else:
            files.append(place)
    for file in files:
        if not file.is_file():
            whole = (file.parent / PLAN).is_file()
            raise FileNotFoundError(
                f'{file} is not there.'
                + (' Run tools/extract_features.py again to complete it.' * whole)
            )
    twice = [file for file, times in Counter(files).items() if times > 1]
    if twice:
        raise ValueError(
            f'{twice[0]} is named twice, so each of its images would be in a cluster '
            'with itself. Name it once.'
        )
    return files


def cluster_in_memory(
    files: Sequence[str | os.PathLike], settings: Mapping[str, Any] | None = None
) -> np.ndarray:
    """Cluster embeddings in files by DBSCAN, in one process.

    Args:
        files (Sequence[str | os.PathLike]): As
            :func:`mmreid_cc.clustering.sharded.cluster_files` takes them.
        settings (Mapping[str, Any] | None): Arguments of :class:`DBSCAN`. Defaults to
            None: those that :class:`AutoDBSCAN` finds.

    Returns:
        np.ndarray: Labels 0…C − 1, and −1 for un-clustered images; (N,) int64.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: If the files do not belong together, or features are not normalised.

    Example:
        >>> cluster_in_memory(['features.parquet'])
        array([ 0,  0, -1, ...])
    """
    features = read_batch(inspect_files([Path(file) for file in files]).parts)[1]
    clusterer = AutoDBSCAN() if settings is None else DBSCAN(**settings)
    labels = clusterer.fit_predict(features)
    if isinstance(clusterer, AutoDBSCAN):
        print(clusterer.explanation())
    return labels


def write_label_table(
    out: str | os.PathLike, files: Sequence[str | os.PathLike], labels: np.ndarray
) -> None:
    """Write the label of each image: Parquet with the columns ``path`` and ``label``.

    Args:
        out (str | os.PathLike): The file, which is written completely or not at all.
        files (Sequence[str | os.PathLike]): Files of N images, with a column ``path``.
        labels (np.ndarray): (N,) integers.

    Raises:
        FileNotFoundError: If a file is gone.
        ValueError: If a file has no paths.

    Example:
        >>> write_label_table('labels.parquet', ['features.parquet'], labels)
    """
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(PATH, pa.string()), (LABEL, pa.int64())])
    first = 0
    with replacing(Path(out)) as part, parquet.ParquetWriter(part, schema) as writer:
        for file in files:
            with open_parquet(Path(file)) as source:
                if PATH not in source.schema_arrow.names:
                    raise ValueError(
                        f'{file} has no column {PATH!r}, so the labels have no images. '
                        'Take files that tools/extract_features.py wrote.'
                    )
                for number in range(source.num_row_groups):
                    paths = source.read_row_group(number, columns=[PATH])[PATH]
                    found = pa.array(labels[first : first + len(paths)], pa.int64())
                    columns = [paths.cast(pa.string()), found]
                    writer.write_table(pa.table(columns, schema=schema))
                    first += len(paths)
