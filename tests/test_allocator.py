"""The allocator of glibc: blocks that are freed are given out again."""

import platform
import subprocess
import sys

import pytest

from mmreid_cc.allocator import keep_freed_memory

COUNT_FAULTS = """
import resource, sys
import numpy as np
from mmreid_cc.allocator import keep_freed_memory
print(keep_freed_memory() if sys.argv[1:] else False)
np.ones(2**24)  # 128 MB
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def second_block(*arguments):
    """What keep_freed_memory returned, and the page faults of a second block."""
    done = subprocess.run(
        [sys.executable, '-c', COUNT_FAULTS, *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    raised, faults = done.stdout.split()
    return raised == 'True', int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='not the C library')
def test_page_faults():
    usual, kept = second_block(), second_block('keep')
    assert usual[0] is False
    assert kept[0] is True
    assert kept[1] < usual[1] / 2  # usual: one for each page of 4 KB or 2 MB


@pytest.mark.parametrize(
    'environ',
    [
        {'MALLOC_ARENA_MAX': '2'},
        {'GLIBC_TUNABLES': 'glibc.malloc.trim_threshold=1'},
        {'LD_PRELOAD': '/usr/lib/libjemalloc.so.2'},
    ],
)
def test_choice_of_the_user(environ):
    assert keep_freed_memory(environ) is False


def test_refused(monkeypatch):
    """A C library that knows no such threshold: nothing ends."""

    class Library:
        @staticmethod
        def mallopt(name, value):
            return 0

    monkeypatch.setattr('ctypes.CDLL', lambda name: Library)
    assert keep_freed_memory({}) is False
