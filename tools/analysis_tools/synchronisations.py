"""Count where a program waits for the GPU, and whose code does."""

import os
import traceback
import warnings
from collections import Counter
from types import TracebackType
from typing import Any

import mmcv
import mmengine
import mmpretrain
import torch

import mmreid_cc

_ROOTS = {
    module.__name__: os.path.dirname(str(module.__file__)) + os.sep
    for module in (mmreid_cc, mmpretrain, mmengine, mmcv)
}


class SynchronisationCounter:
    """Within a ``with`` statement, count the calls that wait for the GPU.

    PyTorch reports those that it knows of: copies to the CPU, ``item()``, indexing by
    masks. Each call is counted for the innermost frame in one of the given packages.

    Attributes:
        places (Counter): Calls by ``(package, file:line)``.

    Example:
        >>> with SynchronisationCounter() as counter:
        ...     loss.item()
        >>> counter.count('mmreid_cc')
        0
    """

    def __init__(self) -> None:
        self.places: Counter[tuple[str, str]] = Counter()

    def count(self, package: str) -> int:
        """Return the number of calls by the code of a package.

        Args:
            package: e.g. ``'mmreid_cc'``.
        """
        return sum(n for (owner, _), n in self.places.items() if owner == package)

    def __enter__(self) -> 'SynchronisationCounter':
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter('always')
        warnings.showwarning = self._note
        torch.cuda.set_sync_debug_mode('warn')
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        torch.cuda.set_sync_debug_mode('default')
        self._warnings.__exit__(kind, error, trace)

    def _note(self, message: Any, *_: Any, **__: Any) -> None:
        if 'called a synchronizing' not in str(message):
            return
        for frame in reversed(traceback.extract_stack()[:-1]):
            for owner, root in _ROOTS.items():
                if frame.filename.startswith(root):
                    place = frame.filename.removeprefix(root)
                    self.places[owner, f'{place}:{frame.lineno}'] += 1
                    return
        self.places['others', str(message).split('.')[0]] += 1
