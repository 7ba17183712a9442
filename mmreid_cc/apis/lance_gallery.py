"""A gallery in a LanceDB table, which is searched on disk and can grow meanwhile."""

import os
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .gallery import Gallery
from .lance_index import (
    FEWEST_INDEXED_ROWS,
    NO_INDEX,
    build_index,
    calibrate,
    proposed_rows,
    read_settings,
)
from .lance_rows import LazyColumn, TableRows
from .lance_table import (
    EMBEDDING,
    MODEL_HASH,
    PATH,
    connect,
    is_lance_uri,
    record_batches,
    split_uri,
)
from .query_search import RE_RANKED, checked_queries, re_ranked


class LanceGallery:
    """Embeddings in a LanceDB table, with the search and the metadata of a Gallery.

    A row is the number of an image in the order in which images were added, counted
    from 0; it never changes. Embeddings and paths are read when they are indexed; a
    column of metadata is read on first use.

    A table of 20,000 rows or more has an index, see
    :func:`mmreid_cc.apis.lance_index.build_index`. The index proposes candidates, whose
    cosines are then computed as :class:`Gallery` computes them: a result can lack an
    image, but its cosines and their order are exact. In smaller tables, all rows are
    compared, and so are the rows that were added since the last :meth:`optimize`.

    A search sees all rows whose :meth:`add` had returned before it began, in this
    process or in another one. If a writer is killed, the table stays as it was before
    its last call.

    Args:
        uri (str | os.PathLike): ``folder/name.lance``, on disk or in an object store
            that LanceDB reads, as :meth:`Gallery.to_lance` has written it.

    Attributes:
        uri (str): As given.
        model_hash (str): Hash of the network that embedded the images.

    Raises:
        ImportError: If LanceDB is missing; it says how to install it.
        FileNotFoundError: If there is no such table.
        ValueError: If the URI does not end in ``.lance``, or the table is no gallery.

    Example:
        >>> gallery = LanceGallery('galleries/city.lance')
        >>> rows, similarities = gallery.search(reid('query.jpg'), topk=5)
        >>> gallery.metadata['cam_id'][rows], gallery.paths[rows[0, 0]]
        (array([[3, 3, 1, 3, 2]]), 'crops/0002_c3_000451.jpg')
    """

    def __init__(self, uri: str | os.PathLike) -> None:
        self.uri = os.fspath(uri)
        folder, self._name = split_uri(uri)
        self._database = connect(folder)
        try:
            self._newest = self._database.open_table(self._name)
        except (ValueError, FileNotFoundError) as error:
            raise FileNotFoundError(
                f'There is no gallery {self.uri}. `Gallery.to_lance(uri)` writes one, '
                'and so does tools/extract_features.py with `--out`.'
            ) from error
        schema = self._newest.schema
        missing = {EMBEDDING, PATH} - set(schema.names)
        if missing or MODEL_HASH not in (schema.metadata or {}):
            raise ValueError(
                f'{self.uri} is not a gallery of this library: it has no '
                f'{" and no ".join(sorted(missing)) or "model hash"}.'
            )
        self.model_hash = schema.metadata[MODEL_HASH].decode()
        self._dim = schema.field(EMBEDDING).type.list_size
        self._names = [name for name in schema.names if name not in (EMBEDDING, PATH)]
        self._lock = Lock()
        self._version = -1
        self._rows = self._current()[0]
        self.metadata: Mapping[str, np.ndarray] = _Columns(self._names, self._current)

    def __len__(self) -> int:
        return self._current()[0].count

    def __repr__(self) -> str:
        return (
            f'LanceGallery({self.uri!r}: {len(self)} images, {self._dim} dimensions, '
            f'metadata {self._names}, model {self.model_hash or "unknown"})'
        )

    @property
    def embeddings(self) -> LazyColumn:
        """(N, D) float32, read when indexed; ``np.asarray`` reads all."""
        rows, _ = self._current()
        return LazyColumn(rows, EMBEDDING, (rows.count, self._dim))

    @property
    def paths(self) -> LazyColumn:
        """(N,) texts, read when indexed or iterated over."""
        rows, _ = self._current()
        return LazyColumn(rows, PATH, (rows.count,))

    @property
    def recall(self) -> float:
        """The estimated share of the ten nearest rows that a search finds.

        It is estimated by an exact search for 200 rows when the index is built or
        optimised, as in :func:`mmreid_cc.clustering.neighbor_recall`, and 1 without an
        index.
        """
        return self._current()[1].recall

    def search(
        self, query_embeddings: Any, topk: int = 10, rerank: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the images that look most like each query.

        Args:
            query_embeddings (array): (Q, D) floating, rows L2-normalised, of the same
                network.
            topk (int): Length of each list, at least 1; with topk > N it is N.
            rerank (bool): Order the lists by k-reciprocal re-ranking of the 200 most
                similar, or of ``topk``. Defaults to False.

        Returns:
            tuple[np.ndarray, np.ndarray]: As :meth:`Gallery.search`.

        Raises:
            TypeError: If the queries are not floating-point numbers.
            ValueError: If they are not 2-D, finite and normalised, do not have D
                columns, or ``topk`` is not positive.

        Example:
            >>> indices, similarities = gallery.search(reid('query.jpg'), topk=5)
        """
        queries = checked_queries(query_embeddings, topk, self._dim)
        rows, settings = self._current()
        topk = min(topk, rows.count)
        count = min(max(topk, RE_RANKED), rows.count) if rerank else topk
        found = [proposed_rows(rows, query, count, settings) for query in queries]
        best = np.array([positions[:count] for positions, _, _ in found])
        if rerank:
            embeddings = (candidates[:count] for _, _, candidates in found)
            return re_ranked(queries, embeddings, best, topk)
        return best, np.array([similarities[:count] for _, similarities, _ in found])

    def select(self, rows: ArrayLike) -> Gallery:
        """Read some of the images into memory.

        Args:
            rows (array): (N,) booleans, or the indices of rows.

        Returns:
            Gallery: Its search returns rows of its own.

        Raises:
            IndexError: If there are no such rows.
            ValueError: If none is selected.

        Example:
            >>> others = gallery.select(gallery.metadata['cam_id'] == 3)
        """
        table, _ = self._current()
        chosen = np.arange(table.count)[np.asarray(rows)]
        return Gallery(
            table.read(EMBEDDING, chosen),
            table.read(PATH, chosen).tolist(),
            {name: table.read(name, chosen) for name in self._names},
            self.model_hash,
        )

    def add(self, gallery: Gallery) -> None:
        """Add images, while other programs may search or add.

        When this method returns, the images are in the table. They are compared one by
        one until :meth:`optimize` adds them to the index.

        Args:
            gallery (Gallery): Gallery of the same network, with the same metadata.

        Raises:
            ValueError: If it is of another network, or has other metadata.
            OSError: If it cannot be written. The table is as it was.

        Example:
            >>> LanceGallery('galleries/city.lance').add(reid.build_gallery('today/'))
        """
        if gallery.model_hash != self.model_hash:
            raise ValueError(
                f'The images and {self.uri} were embedded by different networks (model '
                f'hash {gallery.model_hash or "unknown"}, and there '
                f'{self.model_hash or "unknown"}): their embeddings cannot be compared.'
            )
        batches = record_batches(gallery)
        given = {field.name: str(field.type) for field in batches.schema}
        wanted = {field.name: str(field.type) for field in self._newest.schema}
        if given != wanted:
            raise ValueError(
                f'{self.uri} has the columns {wanted}, but the new images have '
                f'{given}. Give them the same metadata.'
            )
        self._database.open_table(self._name).add(batches)

    def optimize(self) -> None:
        """Add all rows to the index, join small files, and estimate the recall again.

        Searches can continue meanwhile. The index is built when the gallery reaches
        20,000 rows, and again whenever it has doubled since.

        Example:
            >>> gallery.optimize()
        """
        table = self._database.open_table(self._name)
        indices = table.list_indices()
        indexed = indices[0].num_indexed_rows if indices else 0
        table.optimize()
        if table.count_rows() < FEWEST_INDEXED_ROWS:
            return
        if indexed == 0 or table.count_rows() >= 2 * indexed:
            build_index(table)
        else:
            calibrate(table)

    def _current(self) -> tuple[TableRows, Any]:
        """Return the newest version, and the settings of its index."""
        with self._lock:
            self._newest.checkout_latest()
            if self._newest.version != self._version:
                table = self._database.open_table(self._name)
                table.checkout(table.version)  # stays there
                known = self._rows if self._version >= 0 else None
                self._rows = TableRows(table, known)
                indexed = bool(table.list_indices())
                self._settings = read_settings(table) if indexed else NO_INDEX
                self._version = table.version
            return self._rows, self._settings


AnyGallery = Gallery | LanceGallery


def open_gallery(place: str | os.PathLike) -> AnyGallery:
    """Open a gallery of either kind.

    Args:
        place (str | os.PathLike): A file that :meth:`Gallery.save` wrote, or the URI of
            a LanceDB table, which ends in ``.lance``.

    Returns:
        AnyGallery: A gallery to search in.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is something else.
        ImportError: If LanceDB is needed and missing.

    Example:
        >>> open_gallery('galleries/city.lance').search(query, topk=5)
    """
    return LanceGallery(place) if is_lance_uri(place) else Gallery.load(place)


class _Columns(Mapping):
    """Columns by name, each read on first use, with the rows that were added since."""

    def __init__(self, names: list[str], current: Any) -> None:
        self._names, self._current = names, current
        self._read: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        rows, _ = self._current()
        column = self._read.get(name)
        parts = [] if column is None else [column]
        known = 0 if column is None else len(column)
        if known < rows.count or column is None:
            column = np.concatenate([*parts, *rows.blocks(name, known)])
            self._read[name] = column
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
