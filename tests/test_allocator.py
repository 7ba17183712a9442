"""The allocator of glibc: blocks that are freed are given out again."""

import platform
import subprocess
import sys

import pytest

from mmreid_cc import allocator
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


class Library:
    """A C library that refuses what a function says, and keeps the rest."""

    def __init__(self, refuses):
        self.refuses = refuses
        self.settings = {}

    def mallopt(self, name, value):
        if self.refuses(name, value):
            return 0
        self.settings[name] = value
        return 1


def test_refused(monkeypatch):
    """A C library that knows no such threshold: nothing ends."""
    library = Library(lambda name, value: True)
    monkeypatch.setattr('ctypes.CDLL', lambda name: library)
    assert keep_freed_memory({}) is False


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='not the C library')
def test_before_2_35(monkeypatch):
    """glibc refused a threshold above 32 MB; other blocks must not be mapped, too."""
    library = Library(
        lambda name, value: name == allocator.M_MMAP_THRESHOLD and value > 2**25
    )
    monkeypatch.setattr('ctypes.CDLL', lambda name: library)
    assert keep_freed_memory({}) is True
    assert library.settings[allocator.M_MMAP_MAX] == 0
