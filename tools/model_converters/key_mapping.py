"""The renaming of weights of other programs, by a table for each source."""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmreid_cc.atomic_writing import replacing
from mmreid_cc.engine.safe_loading import allowed_globals, allowing

Weights = dict[str, Tensor]

CONTAINERS = ('state_dict', 'model', 'teacher')


@dataclass(frozen=True)
class KeyTable:
    r"""The names of the weights of a source, there and here.

    Attributes:
        rules: regular expression of a whole key → the key here, with ``\1`` for what
            the first parentheses matched. The first rule that matches counts.
        dropped: regular expressions of keys that have no place here, such as the
            classifier of the source; they are listed when they occur.
        finish: what to do to the renamed weights, if more than names differ.
    """

    rules: Mapping[str, str]
    dropped: Sequence[str] = ()
    finish: Callable[[Weights], Weights] = field(default=lambda weights: weights)


@dataclass
class Conversion:
    """The outcome of :func:`convert_keys`.

    Attributes:
        weights: under the names here.
        dropped: keys of the source that the table drops.
        ignored: keys that no rule matched, but a pattern of the caller.
    """

    weights: Weights
    dropped: list[str]
    ignored: list[str]


def load_weights(path: str | Path) -> Weights:
    """Load the weights of a checkpoint, and nothing that could run code.

    Args:
        path: file of ``torch.save``: weights, or a dictionary with them under
            ``state_dict``, ``model`` or ``teacher`` (DINO).

    Returns:
        The tensors by name, without the ``module.`` of DataParallel.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds something else than weights.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'There is no checkpoint {path}')
    try:
        # DINO keeps its arguments
        with allowing([*allowed_globals(), argparse.Namespace]):
            content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:
        raise ValueError(
            f'{path} is not a checkpoint, or holds more than weights and numbers. It '
            f'was not loaded, because it could execute code: {error}'
        ) from error
    while isinstance(content, Mapping):
        inner = next((name for name in CONTAINERS if name in content), None)
        if inner is None:
            break
        content = content[inner]
    if not isinstance(content, Mapping) or not content:
        raise ValueError(f'{path} holds no weights, but {type(content).__name__}')
    strange = [key for key, value in content.items() if not isinstance(value, Tensor)]
    if strange:
        raise ValueError(
            f'{path} holds {strange[:5]}, which are not tensors, and no '
            f'{", ".join(CONTAINERS)}'
        )
    return {key.removeprefix('module.'): value for key, value in content.items()}


def convert_keys(
    weights: Weights, table: KeyTable, ignore: Sequence[str] = ()
) -> Conversion:
    r"""Rename weights by a table.

    Args:
        weights: tensors by name in the source.
        table: of the source.
        ignore: regular expressions of keys that may be left out.

    Returns:
        The renamed weights, and what was left out.

    Raises:
        ValueError: If keys match neither a rule nor ``ignore``, or two get one name.

    Example:
        >>> table = KeyTable({r'base\.0\.(.+)': r'backbone.conv1.\1'})
        >>> convert_keys({'base.0.weight': weight}, table).weights.keys()
        dict_keys(['backbone.conv1.weight'])
    """
    renamed: Weights = {}
    dropped: list[str] = []
    ignored: list[str] = []
    unmatched: list[str] = []
    for key, value in weights.items():
        new = _rename(key, table.rules)
        if new is not None:
            if new in renamed:
                raise ValueError(f'{key} is the second key that becomes {new}')
            renamed[new] = value
        elif _matches(key, table.dropped):
            dropped.append(key)
        elif _matches(key, ignore):
            ignored.append(key)
        else:
            unmatched.append(key)
    if unmatched:
        listed = ''.join(f'\n  {key}' for key in unmatched)
        raise ValueError(
            f'{len(unmatched)} keys of {len(weights)} are unknown:{listed}\n'
            'Is it the right source? To leave them out, name them by --ignore.'
        )
    return Conversion(table.finish(renamed), dropped, ignored)


def check_weights(weights: Weights, model: torch.nn.Module) -> list[str]:
    """Load converted weights into a model, as strictly as can be.

    Args:
        weights: under the names here.
        model: of a config.

    Returns:
        Keys of parts (backbone, neck, head) of which nothing was converted: they keep
        their initialisation.

    Raises:
        ValueError: If the model lacks a key, a part of it was converted by halves, or
            a shape differs.
    """
    try:
        missing, unexpected = model.load_state_dict(dict(weights), strict=False)
    except RuntimeError as error:
        raise ValueError(f'The weights do not fit the config: {error}') from error
    converted = {_part(key) for key in weights}
    halves = [key for key in missing if _part(key) in converted]
    if unexpected or halves:
        raise ValueError(
            'The weights do not fit the config.\n'
            f'The model has no {unexpected},\nthe checkpoint has no {halves}.'
        )
    return list(missing)


def _part(key: str) -> str:
    return key.split('.')[0]


def _matches(key: str, patterns: Sequence[str]) -> bool:
    return any(re.fullmatch(pattern, key) for pattern in patterns)


def _rename(key: str, rules: Mapping[str, str]) -> str | None:
    for pattern, replacement in rules.items():
        match = re.fullmatch(pattern, key)
        if match:
            return match.expand(replacement)
    return None


def save_checkpoint(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint, completely or not at all."""
    with replacing(Path(path)) as part:
        torch.save(dict(content), part)
