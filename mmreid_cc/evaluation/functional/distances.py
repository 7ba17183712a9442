"""Distances between query and gallery, some rows at a time."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from mmreid_cc.clustering.compiled_kernels import kernel
from mmreid_cc.clustering.device_search import DeviceSearch, own_device
from mmreid_cc.clustering.input_checks import as_features, to_numpy
from mmreid_cc.clustering.parallel import map_row_blocks, n_threads

CHUNK_BYTES = 64 * 2**20
ROWS_PER_BLOCK = 32  # of a kernel's call: a row has 10⁴ to 10⁵ values


class DistanceRows(Protocol):
    """A distance matrix that is computed, or read, some rows at a time.

    Attributes:
        shape (tuple[int, int]): Number of queries Q and of gallery images G.
    """

    shape: tuple[int, int]

    def chunks(self) -> Iterator[tuple[slice, NDArray]]:
        """Yield the rows in their order, from the start at each call.

        Yields:
            tuple[slice, np.ndarray]: The next queries, as many as fit into
            ``CHUNK_BYTES`` but one at least, and their distances (n, G), finite,
            float32 or float64, C-contiguous. Do not write to them:
            they may be memory that belongs to the caller.
        """
        ...

    def bounds(self) -> tuple[float, float]:
        """Return two numbers between which all distances lie, up to rounding."""
        ...


class CosineDistance:
    """2 − 2·cos, the squared distance of L2-normalised features.

    The products are computed on this process's GPU, if there is one. Normalisation is
    inside and copies no features: the gallery's norms divide the product. Float32 in
    [0, 4] up to rounding.

    Args:
        query_features (array): (Q, D), floating, of any length but zero.
        gallery_features (array): (G, D), of the same kind.

    Raises:
        TypeError: If the features are not floating-point numbers.
        ValueError: If they are not 2-D and finite, if the numbers of columns differ,
            or a feature is zero.

    Example:
        >>> distance = CosineDistance([[1.0, 0.0]], [[0.0, 5.0]])
        >>> list(distance.chunks())
        [(slice(0, 1, None), array([[2.]], dtype=float32))]
    """

    def __init__(self, query_features: Any, gallery_features: Any) -> None:
        self._query = as_features(query_features, 'query_features')
        self._gallery = as_features(gallery_features, 'gallery_features')
        if self._query.shape[1] != self._gallery.shape[1]:
            raise ValueError(
                f'query_features have {self._query.shape[1]} columns, gallery_features '
                f'{self._gallery.shape[1]}; both must come from one model.'
            )
        self.shape = len(self._query), len(self._gallery)
        self._query_norms = _norms(self._query, 'query_features')
        self._scale = -2 / _norms(self._gallery, 'gallery_features')

    def chunks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield the rows; see :class:`DistanceRows`. Each array is the caller's."""
        device = own_device()
        search = None if device is None else DeviceSearch(self._gallery, device)
        for rows in _row_slices(self.shape, self._gallery.itemsize):
            queries = self._query[rows] / self._query_norms[rows, None]
            if search is None:
                # MMEngine leaves one thread to each process of a distributed run, and
                # the others wait for the one that ranks.
                with threadpool_limits(n_threads(), user_api='blas'):
                    distances = queries @ self._gallery.T
            else:
                distances = search.products(queries)
            map_row_blocks(
                _scale_and_shift,
                len(distances),
                distances,
                self._scale,
                rows_per_block=ROWS_PER_BLOCK,
            )
            yield rows, distances

    def bounds(self) -> tuple[float, float]:
        """Return (0, 4)."""
        return 0.0, 4.0


class GivenDistance:
    """The rows of a distance matrix that the caller has computed.

    Values of types that float32 cannot hold are read as float64, all others as float32.

    Args:
        distance (array): (Q, G), finite.

    Raises:
        ValueError: If it is not 2-D or empty; in ``chunks`` and ``bounds``, if a value
            is NaN or infinite.

    Example:
        >>> list(GivenDistance(np.array([[3, 1]], dtype=np.int8)).chunks())
        [(slice(0, 1, None), array([[3., 1.]], dtype=float32))]
    """

    def __init__(self, distance: ArrayLike) -> None:
        self._distance = to_numpy(distance)
        if self._distance.ndim != 2 or 0 in self._distance.shape:
            raise ValueError(
                'distance must be a 2-D array (Q, G) with at least one query and one '
                f'gallery image, got shape {self._distance.shape}.'
            )
        self.shape = self._distance.shape

    def chunks(self) -> Iterator[tuple[slice, NDArray]]:
        """Yield the rows; see :class:`DistanceRows`."""
        dtype = np.result_type(self._distance.dtype, np.float32)
        for rows in _row_slices(self.shape, dtype.itemsize):
            distances = np.ascontiguousarray(self._distance[rows], dtype=dtype)
            counts = map_row_blocks(
                _count_not_finite,
                len(distances),
                distances,
                rows_per_block=ROWS_PER_BLOCK,
            )
            if any(counts):
                raise ValueError(
                    'distance holds NaN or infinite values; every pair needs a finite '
                    'one. To leave a gallery image out, give it the pid −1.'
                )
            yield rows, distances

    def bounds(self) -> tuple[float, float]:
        """Return the smallest and the largest distance."""
        chunks = [(part.min(), part.max()) for _, part in self.chunks()]
        lows, highs = zip(*chunks, strict=True)
        return float(min(lows)), float(max(highs))


@kernel
def _scale_and_shift(
    first: int, last: int, products: NDArray, scale: NDArray[np.float32]
) -> None:
    for i in range(first, last):
        row = products[i]
        for j in range(len(row)):
            row[j] = row[j] * scale[j] + np.float32(2)


@kernel
def _count_not_finite(first: int, last: int, distances: NDArray) -> int:
    count = 0
    for i in range(first, last):
        row = distances[i]
        for j in range(len(row)):
            count += row[j] - row[j] != 0
    return count


def _row_slices(shape: tuple[int, int], itemsize: int) -> Iterator[slice]:
    step = max(1, CHUNK_BYTES // (itemsize * shape[1]))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def _norms(features: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    squares = np.einsum('ij,ij->i', features, features, dtype=np.float64)
    norms = np.sqrt(squares).astype(np.float32)
    zero = norms == 0
    if zero.any():
        raise ValueError(
            f'{zero.sum()} of {len(norms)} rows of {name} are zero (the first is row '
            f'{zero.argmax()}) and have no direction to compare. Has the training '
            'collapsed?'
        )
    return norms
