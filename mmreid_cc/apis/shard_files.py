"""Folders of embeddings as Parquet shards, which are written one by one."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmreid_cc.atomic_writing import replacing

from .gallery import Gallery
from .lance_table import EMBEDDING, MODEL_HASH, PATH, as_array

PLAN = 'plan.json'
UNREADABLE = b'unreadable'  # in the metadata of a shard: paths and errors
UNREADABLE_FILE = 'unreadable.csv'


class ShardPlan(NamedTuple):
    """The images that the shards of a folder hold; a run must continue with the same.

    Attributes:
        images (int): Number of all images.
        shard_size (int): Images of a shard; the last may have fewer.
        images_hash (str): Hash of the paths in their order, and of their metadata.
        model_hash (str): Hash of the network.
        dtype (str): Dtype of the embeddings, ``'float16'`` or ``'float32'``.
    """

    images: int
    shard_size: int
    images_hash: str
    model_hash: str
    dtype: str

    @property
    def shards(self) -> int:
        """The number of shards."""
        return -(-self.images // self.shard_size)

    def rows(self, shard: int) -> slice:
        """Return the images of a shard, counted from 0."""
        first = shard * self.shard_size
        return slice(first, min(first + self.shard_size, self.images))


def images_hash(paths: Sequence[str], metadata: Mapping[str, np.ndarray]) -> str:
    """Compute a hash that identifies a list of images.

    Args:
        paths (Sequence[str]): In their order.
        metadata (Mapping[str, np.ndarray]): By name, (N,) each.

    Returns:
        str: 16 hexadecimal digits of a SHA-256 sum.

    Example:
        >>> images_hash(['a.jpg'], {}) == images_hash(['b.jpg'], {})
        False
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(os.fsencode(path) + b'\0')
    for name, column in metadata.items():
        digest.update(f'{name} {column.dtype}'.encode())
        digest.update(np.ascontiguousarray(column).view(np.uint8).data)
    return digest.hexdigest()[:16]


def shard_file(folder: Path, shard: int) -> Path:
    """Return the file of a shard.

    Example:
        >>> shard_file(Path('features'), 3)
        PosixPath('features/shard-000003.parquet')
    """
    return folder / f'shard-{shard:06d}.parquet'


def open_folder(folder: Path, plan: ShardPlan) -> list[int]:
    """Create a folder of shards, or continue one.

    Args:
        folder (Path): Its path. It is created.
        plan (ShardPlan): Plan of this run.

    Returns:
        list[int]: Shards that are not there yet.

    Raises:
        ValueError: If the folder was begun with another network or other images; it
            says what differs.

    Example:
        >>> open_folder(Path('features'), plan)
        [0, 1, 2]
    """
    file = folder / PLAN
    if file.is_file():
        begun = ShardPlan(**json.loads(file.read_text()))
        differs = [
            f'{name} {was}, now {now}'
            for name, was, now in zip(plan._fields, begun, plan, strict=True)
            if was != now
        ]
        if differs:
            raise ValueError(
                f'{folder} was begun with other settings: {"; ".join(differs)}. Name '
                'another folder by --out, or remove this one.'
            )
    else:
        with replacing(file) as part:
            part.write_text(json.dumps(plan._asdict()))
    for left in folder.glob('.shard-*'):  # by workers that were killed
        left.unlink()
    return [s for s in range(plan.shards) if not shard_file(folder, s).is_file()]


def write_shard(
    folder: Path,
    shard: int,
    table: Any,
    unreadable: Mapping[str, str],
    model_hash: str,
) -> None:
    """Write a shard completely or not at all.

    Args:
        folder (Path): Folder of the shards.
        shard (int): Its number.
        table (pyarrow.Table): The images that could be read, see
            :func:`mmreid_cc.apis.parquet_file.embedding_table`; without rows if none
            could.
        unreadable (Mapping[str, str]): Error by path, of the others.
        model_hash (str): Hash of the network.

    Example:
        >>> write_shard(folder, 0, table, {}, gallery.model_hash)
    """
    from pyarrow import parquet

    known = {MODEL_HASH: model_hash, UNREADABLE: json.dumps(dict(unreadable))}
    file = shard_file(folder, shard)
    # Ray may consider a worker dead that still writes, so each has its own file.
    part = file.with_name(f'.{file.name}.{os.uname().nodename}-{os.getpid()}')
    try:
        parquet.write_table(table.replace_schema_metadata(known), part)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def read_shards(folder: str | os.PathLike) -> Gallery:
    """Read a folder of shards into memory, in the order of the images.

    Args:
        folder (str | os.PathLike): Folder that ``tools/extract_features.py --ray``
            wrote.

    Returns:
        Gallery: A gallery of all images that could be read, as float32.

    Raises:
        FileNotFoundError: If it is no such folder, or shards are missing.
        ValueError: If a shard is of another network, or no image could be read.

    Example:
        >>> read_shards('features').save('gallery.npz')
    """
    import pyarrow as pa
    from pyarrow import parquet

    plan = read_plan(folder)
    tables = []
    for shard in range(plan.shards):
        file = shard_file(Path(folder), shard)
        if not file.is_file():
            raise FileNotFoundError(
                f'{file} is missing: the folder is not complete. Run '
                'tools/extract_features.py with the same arguments again.'
            )
        table = parquet.read_table(file)
        found = table.schema.metadata[MODEL_HASH].decode()
        if found != plan.model_hash:
            raise ValueError(
                f'{file} is of another network (model hash {found}, the folder is of '
                f'{plan.model_hash}): their embeddings cannot be compared.'
            )
        tables.append(table)
    joined = pa.concat_tables(tables)
    if not joined.num_rows:
        raise ValueError(f'No image of {folder} could be read, see {UNREADABLE_FILE}.')
    columns = {name: as_array(joined[name]) for name in joined.column_names}
    embeddings = columns.pop(EMBEDDING).astype(np.float32)
    if plan.dtype == 'float16':  # rounding has changed their length
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    paths = columns.pop(PATH).tolist()
    return Gallery(embeddings, paths, columns, plan.model_hash)


def read_plan(folder: str | os.PathLike) -> ShardPlan:
    """Read which images the shards of a folder hold.

    Args:
        folder (str | os.PathLike): Folder of shards.

    Returns:
        ShardPlan: The plan with which the folder was begun.

    Raises:
        FileNotFoundError: If it is no such folder.

    Example:
        >>> read_plan('features').images
        1000000
    """
    file = Path(folder) / PLAN
    if not file.is_file():
        raise FileNotFoundError(
            f'{folder} is not a folder of tools/extract_features.py --ray: it has no '
            f'{PLAN}.'
        )
    return ShardPlan(**json.loads(file.read_text()))


def unreadable_images(folder: Path, plan: ShardPlan) -> dict[str, str]:
    """Return the images that could not be read.

    Args:
        folder (Path): Folder of shards, all of them written.
        plan (ShardPlan): Plan of the folder.

    Returns:
        dict[str, str]: Error by path.

    Example:
        >>> unreadable_images(Path('features'), plan)
        {'crops/broken.png': 'UnidentifiedImageError: cannot identify image file'}
    """
    from pyarrow import parquet

    found: dict[str, str] = {}
    for shard in range(plan.shards):
        metadata: Any = parquet.read_schema(shard_file(folder, shard)).metadata
        found |= json.loads(metadata[UNREADABLE])
    return found
