"""Files that are written completely or not at all."""

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def check_writable(path: Path, inputs: Iterable[str | os.PathLike] = ()) -> None:
    """Check that a file can be written, before hours are spent on its content.

    Args:
        path (Path): Path of the file; its folder is created.
        inputs (Iterable[str | os.PathLike]): Files that must not be replaced by it,
            because they are read. Defaults to none.

    Raises:
        OSError: If nothing can be written there.
        ValueError: If it is one of the inputs.

    Example:
        >>> check_writable(Path('/proc/gallery.npz'))
        FileNotFoundError: [Errno 2] No such file or directory: nothing can be ...
    """
    if path.resolve() in {Path(file).resolve() for file in inputs}:
        raise ValueError(
            f'{path} would be replaced by the results, and it is read. Name another '
            'file.'
        )
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OSError(
            error.errno,
            f'{error.strerror}: nothing can be written there. Name another file',
            str(path),
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file under another name, and rename it when it is complete.

    Args:
        path (Path): Path of the file; its folder is created. Who reads it meanwhile
            finds the old file or the new one; after an error it is as it was.

    Yields:
        Path: A path in the same folder, to which to write.

    Example:
        >>> with replacing(Path('work_dirs/report.html')) as part:
        ...     part.write_bytes(b'<!doctype html>')
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'{path.name}.part')
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
