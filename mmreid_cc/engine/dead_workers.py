"""When the system kills a process that loads images: say what to do."""

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def explained_dead_workers() -> Iterator[None]:
    """Add to PyTorch's error about a dead worker why that happens and what helps.

    Yields:
        None: Nothing.

    Raises:
        RuntimeError: Instead of PyTorch's, if a worker of a data loader was killed or
            ended without a word. Any other error is left as it is.

    Example:
        >>> with explained_dead_workers():
        ...     runner.train()
    """
    try:
        yield
    except RuntimeError as error:
        if not re.search(r'DataLoader worker \(pid(\(s\))? [\d, ]+\)', str(error)):
            raise
        # PyTorch raises once more for each loader whose workers end now.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        raise RuntimeError(
            f'{error} A process that loads images is gone. Mostly the system killed it '
            'for want of memory (`dmesg` tells), or /dev/shm is full, as in a '
            'container without `--shm-size`. Lower `num_workers` or `batch_size` of '
            'the data loaders; then go on from the last checkpoint by --resume.'
        ) from error
