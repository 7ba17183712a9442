"""The decorator of this package's compiled kernels."""

import logging
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from mmengine.logging import print_log
from numba import njit


def kernel(
    function: Callable[..., Any], *, fastmath: Collection[str] = ()
) -> Callable[..., Any]:
    """Compile a function with numba on its first call, without the interpreter lock.

    The machine code is kept on disk for the next process: next to the module, else in
    the user's cache folder, else in the folder ``NUMBA_CACHE_DIR``. If none of them can
    be written, each process compiles the kernels again, and says so once.

    Args:
        function (Callable): Function to compile.
        fastmath (Collection[str]): Liberties that the compiler may take, as in
            ``numba.njit``. Defaults to (), none.

    Returns:
        Callable: The dispatcher of numba.

    Example:
        >>> @kernel  # doctest: +SKIP
        ... def add(a: int, b: int) -> int:
        ...     return a + b
        >>> add(1, 2)
        3
    """
    compile_lazily = partial(njit, nogil=True, fastmath=set(fastmath))
    try:
        return compile_lazily(cache=True)(function)
    except RuntimeError as error:
        if 'no locator available' not in str(error):
            raise
        _tell_once()
        return compile_lazily()(function)


_told: list[bool] = []


def _tell_once() -> None:
    if not _told:
        _told.append(True)
        print_log(
            'Neither the folder of mmreid_cc nor the cache folder of the user can be '
            'written, so each process compiles the clustering again, which takes some '
            '10 seconds. Set NUMBA_CACHE_DIR to a folder that can be written.',
            logger='current',
            level=logging.WARNING,
        )
