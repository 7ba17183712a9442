"""Checkpoints that are whole or not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmreid_cc.foreign_notices import drop_storage_notices
from mmreid_cc.registry import HOOKS

from ..atomic_files import ATOMIC_LOCAL


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """Save checkpoints so that an interruption, or a full disk, costs none.

    As MMEngine's ``CheckpointHook``, with all its arguments, but a checkpoint in a
    local folder is written under another name and renamed when it is whole, and an
    older one is removed only after that. Where ``backend_args`` name another storage,
    it is used as it is; older checkpoints wait there, too.

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
        """Remove what is to be removed when all is saved, and nothing on an error."""
        backend = self.file_backend
        self.file_backend = _Postponed(backend)
        try:
            yield
            for path in set(self.file_backend.removed) - self._named():
                backend.remove(path)
        finally:
            self.file_backend = backend

    def _named(self) -> set[str | None]:
        """The last and the best checkpoints, which stay."""
        best = getattr(self, 'best_ckpt_path', None)
        several = getattr(self, 'best_ckpt_path_dict', {})
        return {self.last_ckpt, best, *several.values()}


class _Postponed:
    """A storage that notes which files are to be removed."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.removed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        self.removed.append(path)
