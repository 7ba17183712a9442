"""Files that are written completely or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
