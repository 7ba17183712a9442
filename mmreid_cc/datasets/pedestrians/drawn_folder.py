"""Folders of drawn data, which are written once and completely."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from mmengine.logging import print_log


def write_once(
    root: str | Path,
    parameters: Mapping[str, Any],
    parameter_file: str,
    what: str,
    write: Callable[[Path, Any], None],
) -> Path:
    """Write a folder unless it exists.

    The folder appears at once, when everything is written. Processes that call this at
    the same time, or one that is killed, therefore leave no incomplete folder.

    Args:
        root: the folder to be made; it must be absent, empty, or written by this.
        parameters: what the content depends on, as JSON holds them.
        parameter_file: name of the file in it that holds them.
        what: is drawn, for the log.
        write: writes the content, given a folder and the parameters.

    Returns:
        ``root``.

    Raises:
        FileExistsError: if ``root`` holds something else, or other parameters.

    Example:
        >>> write_once('drawn', dict(seed=0), 'drawn.json', 'a dot', draw_a_dot)
        PosixPath('drawn')
    """
    root = Path(root)
    if _is_written(root, parameters, parameter_file):
        return root
    print_log(f'Drawing {what} into {root}, once.', logger='current')
    target = root.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f'.{target.name}.{uuid4().hex}')
    try:
        draft.mkdir()
        write(draft, parameters)
        (draft / parameter_file).write_text(json.dumps(parameters, indent=2) + '\n')
        try:
            draft.rename(target)
        except OSError:
            # Another process may have been faster; then its set is as good as ours.
            if not _is_written(root, parameters, parameter_file):
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return root


def check_ranges(
    parameters: Mapping[str, Any], limits: Mapping[str, tuple[int, int]]
) -> None:
    """Check that the parameters of a drawing are in their ranges.

    Args:
        parameters: by name.
        limits: the least and the greatest value, by name.

    Raises:
        ValueError: if one is not.
    """
    for name, (low, high) in limits.items():
        if not low <= parameters[name] <= high:
            raise ValueError(
                f'{name} must be between {low} and {high}, got {parameters[name]}.'
            )


def _is_written(root: Path, parameters: Mapping[str, Any], parameter_file: str) -> bool:
    """Return whether the set exists; raise if something else is in its place."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    file = root / parameter_file
    if not file.is_file():
        raise FileExistsError(
            f'{root} exists and was not drawn by this library (it has no '
            f'{parameter_file}). Choose another folder.'
        )
    found = json.loads(file.read_text())
    if found != parameters:
        differences = ', '.join(
            f'{name} is {found.get(name)}, wanted {parameters.get(name)}'
            for name in {**parameters, **found}
            if found.get(name) != parameters.get(name)
        )
        raise FileExistsError(
            f'{root} holds a drawn set with other parameters: {differences}. '
            'Choose another folder, or delete this one to draw it again.'
        )
    return True
