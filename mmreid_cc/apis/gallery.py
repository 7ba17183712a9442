"""Embeddings to search in, with their paths and metadata."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mmreid_cc.clustering.input_checks import as_features, check_normalized

from .gallery_file import EMBEDDINGS, read_arrays, write_arrays
from .query_search import checked_queries, nearest_images, re_ranked_images

METADATA = 'metadata/'  # before the names of those arrays in the file


class Gallery:
    """Embeddings, their paths, and their metadata.

    It is saved as one ``.npz`` file, which ``numpy.load`` reads, too. Nothing in the
    file is executed. Loading reads the embeddings once to check them, and maps them
    into memory: processes that load the same file share them.

    Args:
        embeddings (array): (N, D) floating, rows L2-normalised, N ≥ 1.
        paths (Sequence[str]): (N,) file of each, ``''`` where there is none.
        metadata (Mapping[str, array], optional): By name, (N,) numbers, texts or
            booleans each, e.g. ``pid``, ``cam_id``, ``track``, ``time``. Defaults to
            None: nothing.
        model_hash (str): Hash of the network, as ``ReIDInferencer.model_hash``.
            Defaults to ``''``: unknown.

    Attributes:
        embeddings (np.ndarray): (N, D) float32; memory-mapped after :meth:`load`.
        paths (list[str]): (N,).
        metadata (dict[str, np.ndarray]): (N,) each.
        model_hash (str): As given.

    Raises:
        TypeError: If the embeddings are not floating-point numbers, or metadata are
            Python objects.
        ValueError: If they are not 2-D, finite and normalised, or another argument does
            not have N entries.

    Example:
        >>> gallery = Gallery(np.eye(3, dtype=np.float32), ['a.jpg', 'b.jpg', 'c.jpg'],
        ...                   dict(pid=[7, 7, 8]))
        >>> indices, similarities = gallery.search([[0.6, 0.0, 0.8]], topk=2)
        >>> [gallery.paths[index] for index in indices[0]]
        ['c.jpg', 'a.jpg']
        >>> gallery.metadata['pid'][indices]
        array([[8, 7]])
    """

    def __init__(
        self,
        embeddings: Any,
        paths: Sequence[str],
        metadata: Mapping[str, ArrayLike] | None = None,
        model_hash: str = '',
    ) -> None:
        # Of float32 in a file this is no copy, but a view that stays mapped.
        self.embeddings = as_features(embeddings, 'embeddings')
        check_normalized(self.embeddings)
        self.paths = [str(path) for path in paths]
        self.metadata = {
            name: np.asarray(column) for name, column in (metadata or {}).items()
        }
        self.model_hash = model_hash
        self._check_columns()

    def __len__(self) -> int:
        return len(self.embeddings)

    def __repr__(self) -> str:
        rows, dim = self.embeddings.shape
        return (
            f'Gallery({rows} images, {dim} dimensions, metadata {list(self.metadata)}, '
            f'model {self.model_hash or "unknown"})'
        )

    def search(
        self, query_embeddings: Any, topk: int = 10, rerank: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the images that look most like each query.

        Args:
            query_embeddings (array): (Q, D) floating, rows L2-normalised, of the same
                network.
            topk (int): Length of each list, at least 1; with topk > N it is N.
            rerank (bool): Order the lists by k-reciprocal re-ranking, see
                :func:`mmreid_cc.apis.query_search.re_ranked_images`. Defaults to False.

        Returns:
            tuple[np.ndarray, np.ndarray]: Rows of the gallery (Q, topk) int64, best
            first, ties by row; and (Q, topk) float32 cosines in [−1, 1], or with
            ``rerank`` 1 − re-ranked distance, in [0, 1].

        Raises:
            TypeError: If the queries are not floating-point numbers.
            ValueError: If they are not 2-D, finite and normalised, do not have D
                columns, or ``topk`` is not positive.

        Example:
            >>> indices, similarities = gallery.search(reid('query.jpg'), topk=5)
        """
        queries = checked_queries(query_embeddings, topk, self.embeddings.shape[1])
        search = re_ranked_images if rerank else nearest_images
        return search(queries, self.embeddings, min(topk, len(self)))

    def select(self, rows: ArrayLike) -> 'Gallery':
        """Return a gallery of some of the images, e.g. without the camera of a query.

        Args:
            rows (array): (N,) booleans, or the indices of rows.

        Returns:
            Gallery: A gallery with these embeddings in memory. Its search returns rows
            of its own.

        Raises:
            IndexError: If there are no such rows.
            ValueError: If none is selected.

        Example:
            >>> others = gallery.select(gallery.metadata['cam_id'] != 3)
        """
        chosen = np.arange(len(self))[np.asarray(rows)]
        return Gallery(
            np.array(self.embeddings[chosen]),
            [self.paths[row] for row in chosen],
            {name: column[chosen] for name, column in self.metadata.items()},
            self.model_hash,
        )

    def save(self, file: str | os.PathLike) -> None:
        """Write everything to one file.

        Args:
            file (str | os.PathLike): Path, usually with the suffix ``.npz``; its folder
                is created.

        Raises:
            OSError: If it cannot be written. An existing file does not change.

        Example:
            >>> gallery.save('gallery.npz')
        """
        write_arrays(
            file,
            {
                EMBEDDINGS: self.embeddings,
                'paths': np.array(self.paths, dtype=np.str_),
                'model_hash': np.array(self.model_hash),
                **{METADATA + name: column for name, column in self.metadata.items()},
            },
        )

    def to_lance(self, uri: str | os.PathLike) -> None:
        """Write everything to a LanceDB table, which is searched on disk.

        A table of 20,000 images or more gets an index, which takes minutes for a
        million.

        Args:
            uri (str | os.PathLike): ``folder/name.lance``, on disk or in an object
                store that LanceDB writes to; :class:`LanceGallery` opens it.

        Raises:
            ImportError: If LanceDB is missing; it says how to install it.
            FileExistsError: If there is a table.
            ValueError: If the URI does not end in ``.lance``, or paths or metadata
                cannot be written.

        Example:
            >>> gallery.to_lance('galleries/city.lance')
            >>> LanceGallery('galleries/city.lance').search(query, topk=5)
        """
        from .lance_index import build_index  # they use this module
        from .lance_table import create_table

        build_index(create_table(uri, self))

    @classmethod
    def load(cls, file: str | os.PathLike) -> 'Gallery':
        """Read a gallery, and check its embeddings, which stay in the file.

        Args:
            file (str | os.PathLike): A file that :meth:`save` wrote.

        Returns:
            Gallery: A gallery with read-only embeddings.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is not a gallery, is incomplete, or holds
                invalid data, such as rows that are not normalised.

        Example:
            >>> Gallery.load('gallery.npz').embeddings.shape
            (19732, 2048)
        """
        arrays = read_arrays(file)
        missing = {EMBEDDINGS, 'paths', 'model_hash'} - set(arrays)
        if missing:
            raise ValueError(
                f'{file} is not a gallery: it has no '
                f'{" and no ".join(sorted(missing))}, but '
                f'{", ".join(sorted(arrays)) or "nothing"}.'
            )
        metadata = {
            name.removeprefix(METADATA): column
            for name, column in arrays.items()
            if name.startswith(METADATA)
        }
        paths, model_hash = arrays['paths'].tolist(), str(arrays['model_hash'])
        try:
            return cls(arrays[EMBEDDINGS], paths, metadata, model_hash)
        except ValueError as error:
            raise ValueError(f'{file} is not a gallery: {error}') from error

    def _check_columns(self) -> None:
        columns = {'paths': np.empty(len(self.paths)), **self.metadata}
        for name, column in columns.items():
            if column.shape != (len(self),):
                raise ValueError(
                    f'{name} must have one entry for each of the {len(self)} '
                    f'embeddings, got shape {column.shape}.'
                )
            if column.dtype.hasobject:
                raise TypeError(
                    f'The metadata {name!r} are Python objects, which cannot be '
                    'stored safely. Give numbers, texts or booleans.'
                )
