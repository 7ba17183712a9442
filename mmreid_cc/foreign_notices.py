"""Notices of other libraries that a user of mmreid_cc cannot act on."""

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

MISSING_OPERATOR = 'Fail to import ``MultiScaleDeformableAttention``'
MISSING_DATASET = 'Could not import OneDL'
RENAMED_STORAGE = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
)


@contextlib.contextmanager
def quiet_imports() -> Iterator[None]:
    """Import mmcv and mmpretrain without two notices.

    mmcv-lite warns that a CUDA operator is missing which no component here uses, and
    the maintained mmpretrain prints that an optional data set of its maker is missing.
    Everything else that an import prints or warns of is passed on.

    Example:
        >>> with quiet_imports():
        ...     import mmpretrain
    """
    with warnings.catch_warnings(), contextlib.redirect_stdout(_WithoutNotice()):
        warnings.filterwarnings('ignore', MISSING_OPERATOR, module=r'mmcv\.')
        yield


class _WithoutNotice:
    """Standard output without the line ``MISSING_DATASET``."""

    def __init__(self) -> None:
        self.stream = sys.stdout
        self.dropped = False

    def write(self, text: str) -> int:
        """Write text, but not the notice and the line break that ``print`` adds."""
        ended, self.dropped = self.dropped and text == '\n', text == MISSING_DATASET
        return len(text) if ended or self.dropped else self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def drop_storage_notices(logger: logging.Logger) -> None:
    """Keep MMEngine from logging that parts of itself are deprecated.

    Its ``CheckpointHook`` makes a ``FileClient`` on a ``HardDiskBackend``, although it
    uses neither, and logs that both will be removed.

    Args:
        logger (logging.Logger): Logger of a run; its other records stay.

    Example:
        >>> drop_storage_notices(runner.logger)
    """
    logger.addFilter(_is_no_storage_notice)


def _is_no_storage_notice(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(RENAMED_STORAGE)
