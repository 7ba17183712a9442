"""The lock of a work dir, so that two runs do not write to it at the same time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.runner import Runner

LOCK = '.lock'


@contextmanager
def held_work_dir(runner: Runner) -> Iterator[None]:
    """Hold the work dir of a run.

    Two runs in one folder would replace and remove each other's checkpoints. The system
    releases the lock if the process ends, in whatever way; loader processes that
    survive it for a moment do not hold it, because record locks are not inherited.

    Args:
        runner (Runner): Runner of a training; its main process holds the folder.

    Raises:
        RuntimeError: If another run holds it.

    Example:
        >>> with held_work_dir(runner):
        ...     runner.train()
    """
    if runner.rank != 0:
        yield
        return
    with Path(runner.work_dir, LOCK).open('w') as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise RuntimeError(
                f'Another training writes to {runner.work_dir}, and the two would '
                'replace their checkpoints. Wait for its end, or name another folder: '
                '--work-dir FOLDER'
            ) from None
        except OSError:
            pass  # a file system without locks
        yield
