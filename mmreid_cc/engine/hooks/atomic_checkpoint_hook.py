"""Checkpoints that are always complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmreid_cc.atomic_writing import replacing
from mmreid_cc.foreign_notices import drop_storage_notices
from mmreid_cc.registry import HOOKS

ATOMIC_LOCAL = 'mmreid_cc.atomic_local'  # `backend` in `backend_args` of MMEngine


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """Save checkpoints so that an interruption or a full disk destroys none.

    It is MMEngine's ``CheckpointHook`` with all its arguments. But a checkpoint in a
    local folder is written under another name and renamed when it is complete, and an
    older one is removed only after that. If ``backend_args`` name another storage, it
    is used as it is; older checkpoints are removed last there, too.

    Examples:
        .. code:: python

            default_hooks = dict(checkpoint=dict(
                type='AtomicCheckpointHook', interval=1, max_keep_ckpts=2))
    """

    backend_args: dict | None
    file_backend: Any

    def before_train(self, runner: Runner) -> None:
        """Choose where checkpoints are written."""
        local = '://' not in str(self.out_dir or runner.work_dir)
        if self.backend_args is None and local:
            self.backend_args = dict(backend=ATOMIC_LOCAL)
        drop_storage_notices(runner.logger)
        super().before_train(runner)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with self._removals_after():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        with self._removals_after():
            super()._save_best_checkpoint(runner, metrics)

    @contextmanager
    def _removals_after(self) -> Iterator[None]:
        """Remove old files after everything is saved, and nothing after an error."""
        backend = self.file_backend
        self.file_backend = _Postponed(backend)
        try:
            yield
            for path in set(self.file_backend.removed) - self._named():
                backend.remove(path)
        finally:
            self.file_backend = backend

    def _named(self) -> set[str | None]:
        """Return the last and the best checkpoints, which are kept."""
        best = getattr(self, 'best_ckpt_path', None)
        several = getattr(self, 'best_ckpt_path_dict', {})
        return {self.last_ckpt, best, *several.values()}


class _Postponed:
    """A storage that only notes which files are to be removed."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.removed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        self.removed.append(path)


@register_backend(ATOMIC_LOCAL)
class AtomicLocalBackend(LocalBackend):
    """MMEngine's storage on local disks, which never shows an incomplete file."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file.

        Args:
            obj (bytes): Content.
            filepath (str | Path): Path of the file; its folder is created.

        Raises:
            OSError: If they cannot be written, e.g. on a full disk. An existing file
                does not change.
        """
        write_atomically(Path(filepath), obj)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under another name, and rename it when it is on the disk.

    Args:
        path (Path): Path of the file; its folder is created.
        content (bytes): The content of the file.

    Raises:
        OSError: If it cannot be written. An existing file does not change.
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
