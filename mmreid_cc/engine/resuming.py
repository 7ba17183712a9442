"""The search for the checkpoint from which a run continues."""

import logging
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import Runner

# Of the state of schedulers and optimizers: what changes during a run by itself.
COUNTERS = {'last_step', 'base_values', 'verbose', 'params', 'lr'}
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


def report_resuming(runner: Runner, checkpoint: Mapping) -> None:
    """Warn of what a resumed run does not do as its config says.

    MMEngine restores optimizer and schedules with their settings, so a learning rate
    that was changed in the config would be passed over without a word.

    Args:
        runner (Runner): Runner that trains, before it loads the checkpoint.
        checkpoint (Mapping): Content of the checkpoint.

    Raises:
        ValueError: If the optimizer is of another kind.
    """
    meta = checkpoint['meta']
    if meta['epoch'] >= runner.max_epochs or meta['iter'] >= runner.max_iters:
        runner.logger.warning(
            f'The checkpoint is of epoch {meta["epoch"]}, and the run has '
            f'{runner.max_epochs}: there is nothing left to train. Raise '
            '`train_cfg.max_epochs` to go on.'
        )
    groups = getattr(runner.optim_wrapper, 'param_groups', [])
    saved = checkpoint['optimizer'].get('param_groups', [])
    for now, was in zip(groups, saved, strict=False):
        lacking, unknown = now.keys() - was.keys(), was.keys() - now.keys() - COUNTERS
        if lacking and unknown:  # a newer PyTorch has only more
            raise ValueError(
                'The checkpoint was saved by an optimizer of another kind, with '
                f'{", ".join(sorted(unknown))}. Resume with the `optim_wrapper` of its '
                'run, or begin a new run with its weights: --cfg-options '
                'load_from=CHECKPOINT instead of --resume.'
            )
    kept = _differences('optim_wrapper.optimizer', groups, saved)
    schedulers = checkpoint.get('param_schedulers')
    if isinstance(schedulers, list) and isinstance(runner.param_schedulers, list):
        now = [scheduler.state_dict() for scheduler in runner.param_schedulers]
        kept |= _differences('param_scheduler', now, schedulers)
    if kept:
        listed = ', '.join(f'{name} {values}' for name, values in kept.items())
        runner.logger.warning(
            'A resumed run keeps these settings of its checkpoint, whatever the config '
            f'says: {listed}. To train with those of the config, begin a new run with '
            'its weights: --cfg-options load_from=CHECKPOINT instead of --resume.'
        )


def _differences(name: str, now: Any, saved: Any) -> dict[str, str]:
    """Return the settings that differ between states, by their name in a config."""
    return {
        f'{name}.{"lr" if key == "initial_lr" else key}': (
            f'{was[key]} (config: {state[key]})'
        )
        for state, was in zip(now, saved, strict=False)
        for key in sorted(state.keys() & was.keys() - COUNTERS)
        if not key.startswith('_') and was[key] != state[key]
    }
