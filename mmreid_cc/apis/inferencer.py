"""The embedding of images by a trained network, and the search among them."""

import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

import fsspec
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.dataset import default_collate
from numpy.typing import ArrayLike
from PIL import Image
from rich.console import Console
from rich.progress import track

from mmreid_cc.allocator import keep_freed_memory
from mmreid_cc.clustering.input_checks import check_count
from mmreid_cc.clustering.parallel import n_threads
from mmreid_cc.datasets.decoding import decode_image
from mmreid_cc.models.computation import fixed_weights

from .embedding_pooling import pool_embeddings
from .gallery import Gallery
from .images import Images, each_image, name_of, to_bgr
from .lance_gallery import AnyGallery
from .model import load_config, load_model, model_hash, scope_of
from .preprocessing import Preprocessing, pipeline_config


class ReIDInferencer:
    """Embeds images, builds galleries of them, and searches the galleries.

    It prepares images as the config does for a test, and reads checkpoints without
    executing anything from them. Memory that a batch has freed is kept for the next,
    see :func:`mmreid_cc.allocator.keep_freed_memory`. It does not extend MMEngine's
    ``BaseInferencer``, which loads whatever fits of a checkpoint, holds all inputs as a
    list, and returns a dict of predictions and pictures.

    Args:
        config (str | os.PathLike | Config): Config that the network was trained with.
        checkpoint (str | os.PathLike | None): Its weights. None: those of the files
            that the config names in ``init_cfg``, for example of a backbone that others
            have trained for re-identification.
        device (str | torch.device, optional): Defaults to None: a GPU if there is one.
        batch_size (int): Images that go through the network at once. Defaults to 64.

    Attributes:
        model (nn.Module): The network, in evaluation mode.
        model_hash (str): Hash that identifies the network; galleries store it.
        gallery (AnyGallery | None): The gallery that :meth:`search` uses by default:
            the last that was built, or one that was set.

    Raises:
        FileNotFoundError: If config or checkpoint does not exist.
        UnpicklingError: If the checkpoint holds more than weights.
        RuntimeError: If the checkpoint is broken.
        ValueError: If the weights are not those of the model (it names the layers), or
            the config has no test pipeline; without a checkpoint, if a layer would be
            left with random weights.

    Example:
        >>> from mmreid_cc.apis import ReIDInferencer
        >>> reid = ReIDInferencer('configs/cc_r50_market.py', 'best.pth')
        >>> reid(['a.jpg', 'b.jpg']).shape
        (2, 2048)
        >>> gallery = reid.build_gallery('crops/')
        >>> rows, similarities = reid.search('a.jpg', topk=5)
        >>> gallery.paths[rows[0, 0]]
        'crops/0002_c1s1_000451_03.jpg'
    """

    def __init__(
        self,
        config: str | os.PathLike | Config,
        checkpoint: str | os.PathLike | None,
        device: str | torch.device | None = None,
        batch_size: int = 64,
    ) -> None:
        check_count('batch_size', batch_size)
        keep_freed_memory()
        cfg = load_config(config)
        pipeline = pipeline_config(cfg)
        with scope_of(cfg):
            self._prepare = Preprocessing(pipeline)
        self.model = load_model(cfg, checkpoint, device)
        self.model_hash = model_hash(self.model, cfg)
        self.batch_size = batch_size
        self.gallery: AnyGallery | None = None

    def __call__(self, images: Images) -> np.ndarray:
        """Embed images, a batch at a time.

        In a terminal, a progress bar is shown if there is more than one batch. If the
        images come from a generator, at most one batch of them is in memory.

        Args:
            images (Images): One or many: paths, folders, arrays (H, W, 3) uint8 in BGR
                order, Pillow images; see :func:`mmreid_cc.apis.images.each_image`.

        Returns:
            np.ndarray: (N, D) float32, rows L2-normalised, in the order of the images.

        Raises:
            OSError: If an image cannot be read; it names the file.
            TypeError: If something is no image.
            ValueError: If there is none, or the network returns no finite numbers.
        """
        return self._embed(images)[1]

    def build_gallery(
        self, images: Images, metadata: Mapping[str, ArrayLike] | None = None
    ) -> Gallery:
        """Embed images into a gallery, which :meth:`search` uses from now on.

        Args:
            images (Images): Images in any form, see :meth:`__call__`.
            metadata (Mapping[str, array], optional): Metadata of the images: by name,
                (N,) numbers, texts or booleans each. Defaults to None.

        Returns:
            Gallery: A gallery of N images; the paths are ``''`` for images without a
            file.

        Raises:
            OSError: As a call.
            TypeError: As a call.
            ValueError: As a call, or if metadata do not have N entries.

        Example:
            >>> reid.build_gallery(crops, dict(cam_id=cameras)).save('gallery.npz')
        """
        paths, embeddings = self._embed(images)
        self.gallery = Gallery(embeddings, paths, metadata, self.model_hash)
        return self.gallery

    def search(
        self,
        query: Images,
        topk: int = 10,
        *,
        gallery: AnyGallery | None = None,
        rerank: bool = False,
        pool: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the images of a gallery that look most like the queries.

        Args:
            query (Images): One or many, as for a call.
            topk (int): Length of each list. Defaults to 10.
            gallery (AnyGallery, optional): Gallery of this network. Defaults to None:
                that of ``self.gallery``.
            rerank (bool): Order by k-reciprocal re-ranking. Defaults to False.
            pool (bool): All queries show one person: search once, by the mean of their
                embeddings. Defaults to False.

        Returns:
            tuple[np.ndarray, np.ndarray]: As :meth:`Gallery.search`: rows of the
            gallery (Q, topk) and scores (Q, topk), best first; Q is 1 with ``pool``.

        Raises:
            OSError: As a call.
            TypeError: As a call.
            ValueError: As a call; if there is no gallery, or it is of another network.

        Example:
            >>> reid.gallery = Gallery.load('gallery.npz')
            >>> rows, similarities = reid.search(['front.jpg', 'back.jpg'], pool=True)
        """
        gallery = self.gallery if gallery is None else gallery
        if gallery is None:
            raise ValueError(
                'There is no gallery to search in. Build one with '
                '`reid.build_gallery(images)`, or give one: '
                '`reid.search(query, gallery=Gallery.load(file))`.'
            )
        self.check_gallery(gallery)
        embeddings = self(query)
        if pool:
            embeddings = pool_embeddings(embeddings)
        return gallery.search(embeddings, topk, rerank)

    def check_gallery(self, gallery: AnyGallery) -> None:
        """Check that a gallery was built by this network.

        Args:
            gallery (AnyGallery): The gallery to check.

        Raises:
            ValueError: If it was not.

        Example:
            >>> reid.check_gallery(Gallery.load('gallery.npz'))
        """
        if gallery.model_hash != self.model_hash:
            raise ValueError(
                'The gallery was built by another network, or from images that were '
                f'prepared differently (model hash {gallery.model_hash or "unknown"}, '
                f'this one is {self.model_hash}), so their embeddings cannot be '
                'compared. Use the config and checkpoint that it was built with, or '
                'build it again.'
            )

    def _embed(self, images: Images) -> tuple[list[str], np.ndarray]:
        """Return the paths and the embeddings of images."""
        found = each_image(images)
        total: int | None = None
        if not isinstance(images, Iterator):
            listed = list(found)
            found, total = iter(listed), -(-len(listed) // self.batch_size)
        paths: list[str] = []
        embeddings: list[np.ndarray] = []
        with ThreadPoolExecutor(n_threads()) as pool, fixed_weights(self.model):
            for batch in track(
                iter(lambda: list(islice(found, self.batch_size)), []),
                'Embeddings',
                total=total,
                console=Console(stderr=True),
                transient=True,
                disable=total in (0, 1) or not sys.stderr.isatty(),
            ):
                paths += map(name_of, batch)
                embeddings.append(self._embed_batch(batch, pool))
        if not embeddings:
            raise ValueError('There is no image to embed.')
        return paths, np.concatenate(embeddings)

    def embed_readable(self, paths: Sequence[str]) -> tuple[np.ndarray, dict[str, str]]:
        """Embed the files that can be read, and return why the others cannot.

        Files are read and decoded while the network computes the previous batch.

        Args:
            paths (Sequence[str]): Paths of N images: files, or URLs that fsspec reads.

        Returns:
            tuple[np.ndarray, dict[str, str]]: (R, D) float32 of the R that could be
            read, in their order, (0, 0) of none; the error by path of the others.

        Raises:
            ValueError: If the network returns no finite numbers.

        Example:
            >>> reid.embed_readable(['a.jpg', 'broken.jpg'])[1]
            {'broken.jpg': 'UnidentifiedImageError: cannot identify image file'}
        """
        errors: dict[str, str] = {}
        parts: list[np.ndarray] = [np.empty((0, 0), np.float32)]
        with ThreadPoolExecutor(n_threads()) as pool, fixed_weights(self.model):
            ahead: deque[list[tuple[str, Future]]] = deque()
            for first in range(0, len(paths) + self.batch_size, self.batch_size):
                batch = paths[first : first + self.batch_size]
                ahead.append([(path, pool.submit(self._read, path)) for path in batch])
                if len(ahead) < 2:
                    continue
                samples = []
                for path, future in ahead.popleft():
                    error = future.exception()
                    if error is None:
                        samples.append(future.result())
                    else:  # Pillow and fsspec raise many types
                        errors[path] = f'{type(error).__name__}: {error}'
                if samples:
                    parts.append(self._embed_samples(samples))
        return np.concatenate(parts[1:] or parts), errors

    def _read(self, path: str) -> dict[str, Any]:
        """Read and prepare a file or a URL."""
        if '://' not in path:
            return self._prepare(path)
        with fsspec.open(path, 'rb') as stream:
            return self._prepare(to_bgr(decode_image(stream)))

    def _embed_batch(
        self, batch: Sequence[str | np.ndarray | Image.Image], pool: Executor
    ) -> np.ndarray:
        # Pillow reads images when they are used, which several threads must not do.
        images = [to_bgr(i) if isinstance(i, Image.Image) else i for i in batch]
        return self._embed_samples(list(pool.map(self._prepare, images)))

    @torch.no_grad()
    def _embed_samples(self, samples: list[dict[str, Any]]) -> np.ndarray:
        preprocess: Any = self.model.data_preprocessor
        inputs = preprocess(default_collate(samples), False)
        embeddings = self.model(**inputs, mode='tensor').float()
        if not embeddings.isfinite().all():
            raise ValueError(
                'The network returns numbers that are not finite: its weights are '
                'broken, or its training has diverged. Take another checkpoint.'
            )
        return F.normalize(embeddings).cpu().numpy()
