"""The embedding of many images by Ray Data, on one machine or on a cluster."""

import csv
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from mmreid_cc.atomic_writing import replacing
from mmreid_cc.clustering.input_checks import check_count
from mmreid_cc.ray_session import LOCAL, check_ray, ray_session

from .inferencer import ReIDInferencer
from .parquet_file import check_utf8, embedding_table
from .shard_files import (
    UNREADABLE_FILE,
    ShardPlan,
    images_hash,
    open_folder,
    unreadable_images,
    write_shard,
)


class ShardEmbedder:
    """A worker of Ray, which embeds the images of a shard and writes it.

    A shard is written completely or not at all. If a worker is killed, another one
    embeds its shard again, so no image is missing or occurs twice.

    Args:
        cfg (Config): Config of the network.
        checkpoint (str | None): See :class:`ReIDInferencer`.
        device (str | None): See :class:`ReIDInferencer`.
        batch_size (int): Images that go through the network at once.
        folder (str): Folder that all workers see, where shards are written.
        plan (ShardPlan): Plan of the folder.
        start (str): Folder that relative paths start from, on all machines.

    Raises:
        ValueError: If the network is not that of the folder, for example because
            another checkpoint lies there on the machine of the worker.
    """

    def __init__(
        self,
        cfg: Config,
        checkpoint: str | None,
        device: str | None,
        batch_size: int,
        folder: str,
        plan: ShardPlan,
        start: str,
    ) -> None:
        os.chdir(start)
        # The process that began the run has read the config, and imported them there.
        if cfg.get('custom_imports'):
            import_modules_from_strings(**cfg.custom_imports)
        self.reid = ReIDInferencer(cfg, checkpoint, device, batch_size)
        self.folder, self.plan = Path(folder), plan
        self.dim = self.reid(np.zeros((128, 64, 3), np.uint8)).shape[1]
        if self.reid.model_hash != plan.model_hash:
            raise ValueError(
                f'{checkpoint} on the worker {os.uname().nodename} is another network '
                f'(model hash {self.reid.model_hash}) than where the run was started '
                f'({plan.model_hash}).'
            )

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Embed and write shards.

        Args:
            batch (dict[str, np.ndarray]): ``shard``, numbers of shards, and ``images``,
                the pickled paths and metadata of each shard.

        Returns:
            dict[str, np.ndarray]: ``embedded`` and ``unreadable``, the numbers of
            images.
        """
        counts: dict[str, list[int]] = dict(embedded=[], unreadable=[])
        for shard, images in zip(batch['shard'], batch['images'], strict=True):
            # Pickled by the process that began the run, so it can be trusted.
            paths, metadata = pickle.loads(images)
            embeddings, errors = self.reid.embed_readable(paths)
            kept = [row for row, path in enumerate(paths) if path not in errors]
            table = embedding_table(
                embeddings.astype(self.plan.dtype).reshape(len(kept), self.dim),
                [paths[row] for row in kept],
                {name: column[kept] for name, column in metadata.items()},
            )
            write_shard(self.folder, int(shard), table, errors, self.plan.model_hash)
            counts['embedded'].append(len(kept))
            counts['unreadable'].append(len(errors))
        return {name: np.array(numbers) for name, numbers in counts.items()}


def extract_by_ray(
    cfg: Config,
    checkpoint: str | None,
    paths: Sequence[str],
    metadata: Mapping[str, np.ndarray],
    folder: str | os.PathLike,
    *,
    address: str = LOCAL,
    workers: int | None = None,
    device: str | None = None,
    batch_size: int = 64,
    shard_size: int = 4096,
    dtype: str = 'float32',
) -> dict[str, str]:
    """Embed images on the workers of Ray, and write them as Parquet shards.

    Shards of an interrupted run are kept, and only the missing ones are embedded.

    Args:
        cfg (Config): Config of the network. Modules that it imports must be found by
            the workers, too.
        checkpoint (str | None): Its weights, at the same path on all machines. None:
            those that the config names.
        paths (Sequence[str]): Paths of N images, files that all workers see or URLs
            that fsspec reads, such as ``s3://bucket/a.jpg``.
        metadata (Mapping[str, np.ndarray]): By name, (N,) each.
        folder (str | os.PathLike): Folder of the shards; all workers see it.
        address (str): Address of a cluster, as ``ray.init`` takes it, or ``'local'``
            for workers on this machine. Defaults to ``'local'``.
        workers (int, optional): The number of workers. Defaults to None: one for each
            GPU of the cluster, or else for each core.
        device (str, optional): ``'cpu'`` or ``'cuda'``. Defaults to None: a GPU if the
            worker has one.
        batch_size (int): Images that go through the network at once.
        shard_size (int): Images of a shard.
        dtype (str): Dtype of the embeddings that are written, ``'float16'`` or
            ``'float32'``.

    Returns:
        dict[str, str]: Error by path, of the images that could not be read; also
        written to ``unreadable.csv``.

    Raises:
        ImportError: If Ray or pyarrow is missing.
        ValueError: If the folder was begun with other settings, or a path is not in
            UTF-8.

    Example:
        >>> extract_by_ray(cfg, 'best.pth', paths, {}, 'features', workers=2)
        {}
        >>> read_shards('features').save('gallery.npz')
    """
    check_ray()
    check_utf8(paths, 'Parquet')
    model_hash = ReIDInferencer(cfg, checkpoint, 'cpu').model_hash
    check_count('shard_size', shard_size)
    if workers is not None:
        check_count('workers', workers)
    digest = images_hash(paths, metadata)
    plan = ShardPlan(len(paths), shard_size, digest, model_hash, dtype)
    folder = Path(folder).resolve()
    missing = open_folder(folder, plan)
    if missing:
        arguments = cfg, checkpoint, device, batch_size, str(folder), plan, os.getcwd()
        with ray_session(address):
            _embed_shards(plan, missing, (paths, metadata), arguments, workers, device)
    unreadable = unreadable_images(folder, plan)
    with (
        replacing(folder / UNREADABLE_FILE) as part,
        part.open('w', newline='', encoding='utf-8') as stream,
    ):
        csv.writer(stream).writerows([('path', 'error'), *unreadable.items()])
    if len(unreadable) == len(paths):
        raise ValueError(
            f'None of {len(paths)} images could be read; {UNREADABLE_FILE} in {folder} '
            'says why. Do all machines see the files? Remove the folder before the '
            'next run.'
        )
    return unreadable


def _embed_shards(
    plan: ShardPlan,
    missing: Sequence[int],
    images: tuple[Sequence[str], Mapping[str, np.ndarray]],
    arguments: tuple,
    workers: int | None,
    device: str | None,
) -> None:
    """Embed shards on as many workers as asked for."""
    import ray

    paths, metadata = images
    resources = ray.cluster_resources()
    gpus = 0 if device == 'cpu' else int(resources.get('GPU', 0))
    cores = int(resources.get('CPU', 1))
    count = min(workers or gpus or cores, len(missing))
    share = dict(num_gpus=min(1, gpus / count)) if gpus else dict(num_cpus=1)
    items = []
    for shard in missing:
        rows = plan.rows(shard)
        known = {name: column[rows] for name, column in metadata.items()}
        items.append(dict(shard=shard, images=pickle.dumps((list(paths[rows]), known))))
    done = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        ShardEmbedder,
        fn_constructor_args=arguments,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=count),
        **share,
    )
    for _ in done.iter_batches(batch_size=None):
        pass
