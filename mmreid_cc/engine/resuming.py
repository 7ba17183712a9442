"""The search for the checkpoint from which a run continues."""

import logging
import os
import zipfile
from pathlib import Path

from mmengine.logging import print_log

PREFIX_OF_BEST = 'best_'  # MMEngine saves these without the state of the optimizer


def newest_whole_checkpoint(work_dir: str | os.PathLike) -> str | None:
    """Return the newest complete checkpoint of a run.

    That is the one which the run saved last, or if it is broken, the newest of the
    others by the times of their files. A work dir may have been moved or copied since:
    its own checkpoints come before those of the folder where it was. Every byte is read
    and compared with the checksums that PyTorch stored. Nothing is unpickled.

    Args:
        work_dir (str | os.PathLike): Work dir of the run.

    Returns:
        str | None: Path of the checkpoint; None if the folder has none.

    Raises:
        FileNotFoundError: If it has none, and the run saved them in a folder that does
            not exist.
        RuntimeError: If there are some, and all of them are broken.

    Example:
        >>> newest_whole_checkpoint('work_dirs/cc_r50_market')
        'work_dirs/cc_r50_market/epoch_12.pth'
    """
    folder = Path(work_dir)
    pointer = folder / 'last_checkpoint'
    last = Path(pointer.read_text().strip() if pointer.exists() else '')
    found = _checkpoints(folder)
    # CheckpointHook may have been told another folder.
    if last.name and folder / last.name not in found:
        found = _checkpoints(last.parent) or found
        if not found and not last.parent.is_dir():
            raise FileNotFoundError(
                f'{pointer} names {last}, but the folder {last.parent} does not exist, '
                f'and {work_dir} has no checkpoint. Name one: --resume CHECKPOINT; or '
                f'remove {pointer} to start again.'
            )
    # Copied files are as old as the copy, so their times do not tell the last one.
    found.sort(key=lambda path: path.name != last.name)
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


def _checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, without the best ones, newest first."""
    found = [
        path
        for path in folder.glob('*.pth')
        if not path.name.startswith(PREFIX_OF_BEST)
    ]
    times = {path: path.stat().st_mtime_ns for path in found}
    return sorted(found, key=lambda path: (times[path], path.name), reverse=True)


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
