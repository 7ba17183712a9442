"""The search for the checkpoint from which a run continues."""

import logging
import os
import zipfile
from pathlib import Path

from mmengine.logging import print_log

PREFIX_OF_BEST = 'best_'  # MMEngine saves these without the state of the optimizer


def newest_whole_checkpoint(work_dir: str | os.PathLike) -> str | None:
    """Return the newest complete checkpoint of a run.

    Every byte is read and compared with the checksums that PyTorch stored. Nothing is
    unpickled.

    Args:
        work_dir (str | os.PathLike): Work dir of the run.

    Returns:
        str | None: Path of the checkpoint; None if the folder has none.

    Raises:
        RuntimeError: If there are some, and all of them are broken.

    Example:
        >>> newest_whole_checkpoint('work_dirs/cc_r50_market')
        'work_dirs/cc_r50_market/epoch_12.pth'
    """
    folder = Path(work_dir)
    pointer = folder / 'last_checkpoint'
    named = pointer.read_text().strip() if pointer.exists() else ''
    if named:
        folder = Path(named).parent  # CheckpointHook may be told another one
    found = [
        path
        for path in folder.glob('*.pth')
        if not path.name.startswith(PREFIX_OF_BEST)
    ]
    found.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    for path in found:
        if is_whole(path):
            return str(path)
        print_log(
            f'{path} is broken, for example by an interruption while it was written. '
            'Continuing from the checkpoint before it.',
            level=logging.WARNING,
        )
    if found:
        raise RuntimeError(
            f'None of the {len(found)} checkpoints in {work_dir} is complete. Remove '
            'them to start again, or name another one: --resume CHECKPOINT.'
        )
    return None


def is_whole(path: Path) -> bool:
    """Return whether a file is a complete checkpoint.

    Args:
        path (Path): Path of the file, in the format of ``torch.save`` (a ZIP archive).

    Returns:
        bool: False if it is cut off, or any check sum differs.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, EOFError):
        return False
