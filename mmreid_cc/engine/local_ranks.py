"""Processes of a run that are on one machine."""

import socket
from pathlib import Path

from mmengine.dist import all_gather_object


def local_ranks() -> list[int]:
    """Find the processes of this run on this machine, with any launcher.

    All processes must call it.

    Returns:
        list[int]: Their ranks, ascending, with that of this process.

    Example:
        >>> local_ranks()
        [0]
    """
    machine = _machine()
    return [
        rank
        for rank, other in enumerate(all_gather_object(machine))
        if other == machine
    ]


def _machine() -> str:
    try:
        # Differs even if the names of two machines, or of containers, do not.
        return Path('/proc/sys/kernel/random/boot_id').read_text()
    except OSError:
        return socket.gethostname()
