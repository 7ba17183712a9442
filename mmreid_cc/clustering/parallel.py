"""Compiled kernels that run over blocks of rows on all cores."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import faiss
import numba
import numpy as np

from .progress import track

_SHARERS: ContextVar[int] = ContextVar('sharers', default=1)


def n_threads() -> int:
    """Return the number of threads to use: the process's cores or NUMBA_NUM_THREADS.

    Returns:
        int: At least 1. ``OMP_NUM_THREADS`` has no say: MMEngine sets it to 1 in
        distributed training, where one rank clusters while the others wait. Where they
        search together, see :func:`cores_shared_by`, each has its part of the cores.

    Example:
        >>> n_threads() >= 1
        True
    """
    cores = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]  # dynamic
    return max(1, cores // _SHARERS.get())


@contextmanager
def cores_shared_by(processes: int) -> Iterator[None]:
    """Limit threads, so that several processes share the cores of this machine.

    Args:
        processes (int): Processes that do the same at the same time, this one included.

    Yields:
        None: Nothing; all cores are this process's again in the end.

    Example:
        >>> with cores_shared_by(10**6):
        ...     n_threads()
        1
    """
    token = _SHARERS.set(processes)
    try:
        yield
    finally:
        _SHARERS.reset(token)


@contextmanager
def faiss_threads(count: int) -> Iterator[None]:
    """Set how many threads faiss uses when the current thread calls it.

    Args:
        count (int): Number of threads, at least 1.

    Yields:
        None: Nothing; the number from before is set again in the end.

    Example:
        >>> with faiss_threads(1):
        ...     faiss.omp_get_max_threads()
        1
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def map_on_threads(call: Callable[[int], Any], items: Sequence[int]) -> Iterator[Any]:
    """Call a function with each of some numbers, on several threads if that pays.

    A single call, or any on one core, needs no other thread: for small arrays, starting
    one takes longer than the call.

    Args:
        call (Callable): Called with each number; it should release the interpreter
            lock, as compiled kernels do.
        items (Sequence[int]): Numbers.

    Yields:
        Any: What it returned for each of them, in their order.

    Example:
        >>> list(map_on_threads(lambda number: number**2, range(3)))
        [0, 1, 4]
    """
    threads = min(n_threads(), len(items))
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(call, items)
    else:
        yield from map(call, items)


def map_row_blocks(
    kernel: Callable[..., Any],
    n_rows: int,
    *arguments: Any,
    stage: str | None = None,
    rows_per_block: int = 1024,
) -> list[Any]:
    """Call ``kernel(first, last, *arguments)`` for consecutive blocks of rows.

    It uses plain threads around ``nogil`` kernels rather than ``prange``: the calls
    compile in a tenth of the time, each may return arrays of its own length, and no
    OpenMP pool is left behind, which would break a forked loader process.

    Args:
        kernel (Callable): Compiled with ``nogil=True``. Its result for a row must not
            depend on the block, so that the number of threads changes nothing.
        n_rows (int): Number of rows.
        *arguments: Passed on.
        stage (str | None): Name of the progress bar. Defaults to None, without one.
        rows_per_block (int): Small enough to balance unequal rows and to stop on
            Ctrl-C. Defaults to 1024.

    Returns:
        list: What the kernel returned for each block, in the order of the rows.

    Example:
        >>> map_row_blocks(lambda first, last: last - first, 1500)
        [1024, 476]
    """
    firsts = range(0, n_rows, rows_per_block)

    def call(first: int) -> Any:
        return kernel(first, min(first + rows_per_block, n_rows), *arguments)

    results = map_on_threads(call, firsts)
    return list(track(results, stage, len(firsts)) if stage else results)


def row_pointers(sizes: np.ndarray) -> np.ndarray:
    """Turn the number of entries of each row into the ``indptr`` of a CSR matrix.

    Args:
        sizes (np.ndarray): (N,) non-negative integers.

    Returns:
        np.ndarray: (N + 1,) int32, or int64 where int32 is too small for the total.

    Example:
        >>> row_pointers(np.array([2, 0, 1]))
        array([0, 2, 2, 3], dtype=int32)
    """
    pointers = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    fits = pointers[-1] <= np.iinfo(np.int32).max
    return pointers.astype(np.int32) if fits else pointers


def join_rows(blocks: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """Join blocks of rows of unequal length.

    Args:
        blocks (Sequence[tuple]): For each block, the sizes of its rows, then one array
            or more that hold the entries of its rows one after the other.

    Returns:
        tuple[np.ndarray, ...]: The ``indptr`` of all rows, then the joined arrays.

    Example:
        >>> block = np.array([2, 1]), np.array([5, 6, 7])
        >>> join_rows([block, block])
        (array([0, 2, 3, 5, 6], dtype=int32), array([5, 6, 7, 5, 6, 7]))
    """
    sizes, *entries = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return row_pointers(sizes), *entries
