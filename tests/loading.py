"""Load checkpoints as the tools do, for as long as a test takes."""

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from mmengine.runner import CheckpointLoader

from mmreid_cc.engine.safe_loading import load_checkpoints_safely


@contextmanager
def safe_loading() -> Iterator[None]:
    """Call ``load_checkpoints_safely``, and undo it afterwards."""
    schemes = copy.copy(CheckpointLoader._schemes)
    with (
        mock.patch.dict(os.environ),
        mock.patch.object(CheckpointLoader, '_schemes', schemes),
    ):
        load_checkpoints_safely()
        yield
