"""Let the C library keep the memory of freed tensors for later ones."""

import ctypes
import os
import platform
from collections.abc import Mapping

# Of glibc's <malloc.h>.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -2, -3, -4


def keep_freed_memory(environ: Mapping[str, str] = os.environ) -> bool:
    """Raise the thresholds of glibc's allocator, before the first large allocation.

    By default, glibc maps every block above some megabytes when a program asks for it,
    and unmaps it when it is freed. The activations of a network are such blocks, so
    each of them costs page faults in every batch, which is half of the time of a
    training on a CPU. With higher thresholds, a process keeps what it has freed, and so
    holds its peak memory until it ends.

    Nothing is changed for other C libraries, or if the environment chooses an
    allocator: by a variable ``MALLOC_*``, by ``GLIBC_TUNABLES`` for malloc, or by
    ``LD_PRELOAD``.

    Args:
        environ (Mapping[str, str]): Environment variables. Defaults to those of the
            process.

    Returns:
        bool: Whether the thresholds were raised.

    Example:
        >>> keep_freed_memory({'MALLOC_ARENA_MAX': '2'})
        False
    """
    if platform.libc_ver()[0] != 'glibc' or chooses_allocator(environ):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # Before version 2.35, glibc refuses more than 32 MB, which many maps have: there,
    # no block at all is mapped.
    return bool(
        (mallopt(M_MMAP_THRESHOLD, 2**30) or mallopt(M_MMAP_MAX, 0))
        and mallopt(M_TRIM_THRESHOLD, -1)  # never
        and mallopt(M_TOP_PAD, 2**26)  # bytes
    )


def chooses_allocator(environ: Mapping[str, str]) -> bool:
    """Whether an environment sets up or replaces the allocator of the C library."""
    return (
        any(name.startswith('MALLOC_') for name in environ)
        or 'glibc.malloc' in environ.get('GLIBC_TUNABLES', '')
        or 'malloc' in environ.get('LD_PRELOAD', '')
    )
