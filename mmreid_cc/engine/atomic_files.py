"""Write a local file as a whole or not at all."""

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from mmreid_cc.whole_files import replacing

ATOMIC_LOCAL = 'mmreid_cc.atomic_local'  # `backend` in `backend_args` of MMEngine


@register_backend(ATOMIC_LOCAL)
class AtomicLocalBackend(LocalBackend):
    """MMEngine's storage on local disks, but no reader ever finds half a file."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file.

        Args:
            obj (bytes): Content.
            filepath (str | Path): Of the file; its folder is made.

        Raises:
            OSError: If they cannot be written, e.g. on a full disk. What was there
                before is still there.
        """
        write_atomically(Path(filepath), obj)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under another name, and rename it when it is on the disk.

    Args:
        path (Path): Of the file; its folder is made.
        content (bytes): All of it.

    Raises:
        OSError: If it cannot be written. What was there before is still there.
    """
    try:
        with replacing(path) as part, part.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(
            error.errno,
            f'{error.strerror}: {len(content) / 2**20:.0f} MB cannot be written. What '
            'was saved before is intact: make room, and continue with --resume',
            str(path),
        ) from error
