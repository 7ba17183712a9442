"""Temporary files of the processes that load images."""

from multiprocessing import util


def share_temporary_folder() -> None:
    """Let worker processes put their temporary files where the main process does.

    To hand over a batch, a worker of a data loader makes a socket in a folder
    ``pymp-*``. PyTorch ends most workers by a signal, after which nobody removes the
    folder: every run would leave one for each worker. Called before workers start, the
    main process makes the one folder for all, and removes it when it ends, also by
    Ctrl-C.

    Example:
        >>> share_temporary_folder()
        >>> runner.train()
    """
    util.get_temp_dir()
