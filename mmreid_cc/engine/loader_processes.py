"""The end of loader processes, and the advice if the system kills one."""

import multiprocessing
import re
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def explained_dead_workers() -> Iterator[None]:
    """Add to PyTorch's error about a dead worker why that happens and what helps.

    Yields:
        None: Nothing.

    Raises:
        RuntimeError: In place of PyTorch's error, if a worker of a data loader was
            killed or ended without a message. Other errors do not change.

    Example:
        >>> with explained_dead_workers():
        ...     runner.train()
    """
    try:
        yield
    except (RuntimeError, ConnectionError, EOFError) as error:
        # This comes first, because PyTorch raises anywhere when a loader process ends.
        end_signals_of_workers()
        if not is_of_dead_worker(error):
            raise
        raise RuntimeError(
            f'{error} A process that loads images has ended. Usually the system killed '
            'it because memory ran out (see `dmesg`), or /dev/shm is full, as in a '
            'container without `--shm-size`. Lower `num_workers` or `batch_size` of '
            'the data loaders; then continue from the last checkpoint with --resume.'
        ) from error


@contextmanager
def no_workers_left() -> Iterator[None]:
    """End the loader processes together with a run, however it ends.

    With ``persistent_workers`` and pinned memory, which are usual on a GPU, PyTorch
    waits five seconds for each of them at exit, one after the other (PyTorch's issue
    81794): more than a minute for the loaders of a training.

    Yields:
        None: Nothing.

    Example:
        >>> with no_workers_left():
        ...     runner.train()
    """
    try:
        yield
    finally:
        end_signals_of_workers()
        for process in multiprocessing.active_children():
            process.terminate()


def end_signals_of_workers() -> None:
    """Stop PyTorch from raising when a loader process ends, because the run is over."""
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread gets signals
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    except RuntimeError:  # it was raised here
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def is_of_dead_worker(error: Exception) -> bool:
    """Return whether an error says that a loader process has died.

    Args:
        error (Exception): Error with its traceback.

    Returns:
        bool: True if PyTorch says so, or if a batch could not be fetched from a worker
        because the connection to it broke.

    Example:
        >>> is_of_dead_worker(RuntimeError('CUDA out of memory'))
        False
    """
    if isinstance(error, RuntimeError):
        said = re.search(r'DataLoader worker \(pid(\(s\))? [\d, ]+\)', str(error))
        return said is not None
    frames = traceback.extract_tb(error.__traceback__)
    return any('multiprocessing' in frame.filename for frame in frames)
