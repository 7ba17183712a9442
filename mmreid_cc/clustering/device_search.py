"""Exact search by matrix products on one device of PyTorch: the process's own GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .full_precision import full_precision

if TYPE_CHECKING:
    from torch import Tensor

_PRODUCTS = 2**28  # held at once, 1 GB
_ROWS_PER_PART = 2**18  # of the features that are searched at once
_CHUNK = 128  # columns of which the largest product is looked at first
_ROWS_PER_COPY = 65536


class DeviceSearch:
    """Search rows for those with the largest inner products.

    Products are computed in float32, whatever TF32 and autocast are set to. The
    features stay on the device if they fit into half of its free memory; otherwise they
    are copied part by part for each block of queries.

    Args:
        features (np.ndarray | Tensor): (N, D) float16 or float32, C-contiguous; a
            tensor is on the device already.
        device (str): As PyTorch names it, e.g. ``'cuda:0'``.

    Example:
        >>> eye = np.eye(3, dtype=np.float32)
        >>> DeviceSearch(eye, 'cpu')(eye[:1], 1)[1]
        array([[0]])
    """

    def __init__(self, features: np.ndarray | Tensor, device: str) -> None:
        self.device = device
        fits = not isinstance(features, np.ndarray) or _fits(features.nbytes, device)
        self.features: Any = _to_device(features, device) if fits else features

    def among(self, rows: np.ndarray) -> DeviceSearch:
        """Return a search in some of the rows only.

        Args:
            rows (np.ndarray): (R,) integers. What is found are positions in them.

        Returns:
            DeviceSearch: Without another transfer, if the features are on the device.
        """
        import torch

        if isinstance(self.features, np.ndarray):
            return DeviceSearch(self.features[rows], self.device)
        chosen = torch.from_numpy(rows).to(self.device)
        return DeviceSearch(self.features[chosen], self.device)

    def __call__(
        self, queries: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the largest products of each query.

        Args:
            queries (np.ndarray): (Q, D) float32.
            count (int): In 1…N.

        Returns:
            tuple[np.ndarray, np.ndarray]: Products float32 and indices int64, both
            (Q, count), best first; in which order equal ones come, and which of them
            are left out, is not said.
        """
        import torch

        similarities = np.empty((len(queries), count), dtype=np.float32)
        indices = np.empty((len(queries), count), dtype=np.int64)
        rows = max(1, _PRODUCTS // min(len(self.features), _ROWS_PER_PART))
        blocks = [
            slice(first, min(first + rows, len(queries)))
            for first in range(0, len(queries), rows)
        ]
        device_type = torch.device(self.device).type
        with torch.no_grad(), full_precision(device_type):
            on_device = _to_device(queries, self.device)
            found: list[tuple[Tensor, Tensor] | None] = [None] * len(blocks)
            for first in range(0, len(self.features), _ROWS_PER_PART):
                part = self.features[first : first + _ROWS_PER_PART]
                part = _to_device(part, self.device).float()
                for number, block in enumerate(blocks):
                    products = on_device[block] @ part.T
                    values, columns = _largest(products, min(count, len(part)))
                    found[number] = _best(found[number], values, columns + first, count)
                    del products  # before the next ones are made
            for block, best in zip(blocks, found, strict=True):
                assert best is not None  # features have a row
                similarities[block] = best[0].cpu().numpy()
                indices[block] = best[1].cpu().numpy()
        return similarities, indices

    def products(self, queries: np.ndarray) -> np.ndarray:
        """Compute all inner products.

        Args:
            queries (np.ndarray): (Q, D) float32.

        Returns:
            np.ndarray: (Q, N) float32.
        """
        import torch

        result = np.empty((len(queries), len(self.features)), dtype=np.float32)
        with torch.no_grad(), full_precision(torch.device(self.device).type):
            on_device = _to_device(queries, self.device)
            for first in range(0, len(self.features), _ROWS_PER_PART):
                part = self.features[first : first + _ROWS_PER_PART]
                part = _to_device(part, self.device).float()
                columns = slice(first, first + len(part))
                result[:, columns] = (on_device @ part.T).cpu().numpy()
        return result


def own_device() -> str | None:
    """Return the GPU of this process, i.e. the one that PyTorch uses by default.

    Returns:
        str | None: None without a GPU, or without PyTorch.

    Example:
        >>> own_device()  # doctest: +SKIP
        'cuda:0'
    """
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    return f'cuda:{torch.cuda.current_device()}'


def _fits(nbytes: int, device: str) -> bool:
    import torch

    if torch.device(device).type != 'cuda':
        return True
    # Memory that PyTorch holds without using it is free for this, too.
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return nbytes <= (torch.cuda.mem_get_info(device)[0] + unused) // 2


def _to_device(array: np.ndarray | Tensor, device: str) -> Tensor:
    """Copy an array, which may be a read-only file, by blocks of rows."""
    import torch

    if not isinstance(array, np.ndarray):
        return array
    dtype = torch.float16 if array.dtype == np.float16 else torch.float32
    result = torch.empty(array.shape, dtype=dtype, device=device)
    for first in range(0, len(array), _ROWS_PER_COPY):
        block = slice(first, first + _ROWS_PER_COPY)
        result[block] = torch.tensor(np.asarray(array[block]))
    return result


def _largest(products: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the largest values of each row and their columns; (Q, count), best first.

    In long rows, the largest value of each chunk is found first. The chunks with the
    ``count`` largest of these contain the ``count`` largest values: a value elsewhere
    is at most the largest of its chunk, and so at most one value in each of these
    chunks.
    """
    import torch

    chunks = products.shape[1] // _CHUNK
    if chunks <= 4 * count:  # little is saved
        return torch.topk(products, count)
    whole = chunks * _CHUNK
    maxima = products[:, :whole].unflatten(1, (chunks, _CHUNK)).amax(dim=2)
    chosen = maxima.topk(count, sorted=False).indices
    within = torch.arange(_CHUNK, device=products.device)
    columns = (chosen[:, :, None] * _CHUNK + within).flatten(1)
    rest = torch.arange(whole, products.shape[1], device=products.device)
    columns = torch.cat([columns, rest.expand(len(columns), -1)], dim=1)
    values, places = products.gather(1, columns).topk(count)
    return values, columns.gather(1, places)


def _best(
    before: tuple[Tensor, Tensor] | None, values: Tensor, indices: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Merge earlier results with new ones, and keep the best."""
    import torch

    if before is None:
        return values, indices
    values = torch.cat([before[0], values], dim=1)
    indices = torch.cat([before[1], indices], dim=1)
    values, places = values.topk(min(count, values.shape[1]))
    return values, indices.gather(1, places)
