"""Read checkpoints of unknown origin without ever executing code from them."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.fileio import get
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import load_from_http

STATISTICS = ('min', 'max', 'mean', 'current')


def load_checkpoints_safely() -> None:
    """Restrict MMEngine to tensors, numbers and texts in checkpoints from now on.

    A pickle can name any function and call it. PyTorch's ``weights_only`` forbids that,
    but if a file is refused, the maintained build of MMEngine then reads it *without*
    ``weights_only``. It also allows ``getattr``, by which a file can reach and replace
    Python's built-in functions. And ``Runner.resume`` executes ``meta['config']`` of a
    checkpoint, where very old ones hold their config.

    This function therefore

    - sets ``TORCH_FORCE_WEIGHTS_ONLY_LOAD``, which every ``torch.load`` of this process
      and its children obeys, whatever its arguments;
    - reads local files, ``http(s)://`` and ``s3://`` for MMEngine, allows only what its
      checkpoints consist of, and drops ``meta['config']``.

    Checkpoints of both builds of MMEngine can be read, including the buffers of their
    log. PyTorch must be 2.6 or newer: up to 2.5.1 ``weights_only`` itself could be made
    to execute code (CVE-2025-32434).

    Example:
        >>> load_checkpoints_safely()
        >>> runner.load_checkpoint('unknown.pth')
        UnpicklingError: unknown.pth holds more than weights (...)
    """
    os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = '1'
    for prefixes, loader in (
        ('', load_file),
        (('http://', 'https://'), load_url),
        (r'(\S+\:)?s3://', load_object),
    ):
        CheckpointLoader.register_scheme(prefixes, loader, force=True)


def load_file(filename: str, map_location: Any = None) -> dict:
    """Read a local checkpoint.

    Args:
        filename (str): Path of the file.
        map_location (Any): As in ``torch.load``. Defaults to None.

    Returns:
        dict: The checkpoint.

    Raises:
        FileNotFoundError: If there is no such file.
        UnpicklingError: If it holds more than weights; nothing of it was executed.
        RuntimeError: If it is broken; it names the file.
    """
    path = os.path.expanduser(filename)
    if not os.path.isfile(path):
        raise FileNotFoundError(f'{filename} cannot be found.')
    return _read(filename, lambda: torch.load(path, map_location, weights_only=True))


def load_url(filename: str, map_location: Any = None) -> dict:
    """Download a checkpoint once, and read it as :func:`load_file` does."""
    return _read(filename, lambda: load_from_http(filename, map_location))


def load_object(filename: str, map_location: Any = None) -> dict:
    """Read a checkpoint by a file backend of MMEngine, as :func:`load_file` does."""
    file = BytesIO(get(filename))
    return _read(filename, lambda: torch.load(file, map_location, weights_only=True))


def _read(filename: str, load: Callable[[], dict]) -> dict:
    """Load with our own list of allowed types, and name the file if that fails."""
    try:
        with allowing(allowed_globals()):
            checkpoint = load()
    except UnpicklingError as error:
        raise UnpicklingError(
            f'{filename} holds more than weights, or is broken ({_reason(error)}). It '
            'was not read, and nothing in it was executed. If you trust the file, save '
            "its weights alone: `torch.save({'state_dict': ...}, file)`."
        ) from None
    except OSError:
        raise
    except Exception as error:  # the unpickler raises many types on broken files
        raise RuntimeError(
            f'{filename} cannot be read: it is not a checkpoint, or is incomplete '
            f'({type(error).__name__}: {error}).'
        ) from error
    if not isinstance(checkpoint, dict):
        raise RuntimeError(
            f'{filename} holds a {type(checkpoint).__name__}, not a dict of weights.'
        )
    if isinstance(checkpoint.get('meta'), dict):
        checkpoint['meta'].pop('config', None)
    return checkpoint


@contextmanager
def allowing(names: list) -> Iterator[None]:
    """Let ``torch.load`` read more types within this context.

    At its end, ``torch.serialization.safe_globals`` would also forbid what was allowed
    before; this context restores it.

    Args:
        names (list): Types for ``torch.serialization.add_safe_globals``.

    Example:
        >>> with allowing([argparse.Namespace]):
        ...     checkpoint = torch.load('dino.pth', weights_only=True)
    """
    allowed_before = torch.serialization.get_safe_globals()
    try:
        with torch.serialization.safe_globals(names):
            yield
    finally:
        torch.serialization.add_safe_globals(allowed_before)


def allowed_globals() -> list:
    """Return what a checkpoint of MMEngine may name besides tensors.

    Returns:
        list: Types for ``torch.serialization.add_safe_globals``.
    """
    # The functions by which NumPy builds arrays and numbers, whose module was renamed.
    builders: list[Any] = [x.__reduce__()[0] for x in (np.ones(1), np.float64())]
    dtypes = [np.float64, np.float32, np.int64, np.int32, np.bool_]
    return [
        HistoryBuffer,
        (history_statistic, 'builtins.getattr'),
        np.ndarray,
        np.dtype,
        *{type(np.dtype(kind)) for kind in dtypes},
        # Under both names: NumPy 2 reads what NumPy 1 wrote, and the other way round.
        *(
            (builder, f'numpy.{core}.multiarray.{builder.__name__}')
            for builder in builders
            for core in ('core', '_core')
        ),
    ]


def history_statistic(owner: type, name: str) -> Callable:
    """Return a statistic of a log buffer; it replaces ``getattr`` in checkpoints.

    Args:
        owner (type): Must be ``HistoryBuffer``.
        name (str): Name of a statistic that every buffer has.

    Returns:
        Callable: The method.

    Raises:
        UnpicklingError: If anything else is asked for.
    """
    if owner is not HistoryBuffer or name not in STATISTICS:
        raise UnpicklingError(f'it asks for the attribute {name!r} of {owner}')
    return getattr(HistoryBuffer, name)


def _reason(error: Exception) -> str:
    """Return the few words of PyTorch's long message that say what was found."""
    found = re.search(r'GLOBAL \S+|it asks for .*|Unsupported oper.*', str(error))
    return found[0] if found else str(error).splitlines()[0]
