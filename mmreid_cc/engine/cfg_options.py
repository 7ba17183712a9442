"""The option ``--cfg-options``, by which the command line overrides a config."""

import argparse
import ast
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config, DictAction

from .config_check import check_options


class OptionsAction(DictAction):
    """Read ``key=value`` as MMEngine does, and values with dicts as Python does.

    MMEngine reads ``[dict(type='X')]`` as a list with one text. Here it is a list with
    one dict, and so is ``[{'type': 'X'}]``.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add the values of one ``--cfg-options`` to those before it.

        Args:
            parser (argparse.ArgumentParser): It ends the program if a value cannot be
                read.
            namespace (argparse.Namespace): Namespace that is changed in place.
            values (Sequence[str]): ``key=value`` each.
            option_string (str, optional): Name of the option.
        """
        given = dict(getattr(namespace, self.dest, None) or {})
        for value in values or ():
            key, separator, text = value.partition('=')
            if not separator:
                parser.error(f'{option_string} {value}: write it as key=value')
            if 'dict(' not in text and '{' not in text:
                given[key] = self._parse_iterable(text)
                continue
            try:
                given[key] = python_value(text)
            except ValueError:
                parser.error(
                    f'{option_string} {key}: {text} is not a Python value. Write a '
                    """dict as in key="dict(type='X', size=2)" or """
                    """key="[dict(type='X')]" """
                    '(the outer quotes are for the shell).'
                )
        setattr(namespace, self.dest, given)


def python_value(text: str) -> Any:
    """Read a Python value without executing anything.

    Args:
        text (str): Numbers, texts, lists, tuples, dicts, also as ``dict(key=value)``.

    Returns:
        Any: The value.

    Raises:
        ValueError: If it is anything else.

    Example:
        >>> python_value("[dict(type='X', size=(2, 3))]")
        [{'type': 'X', 'size': (2, 3)}]
    """
    try:
        return ast.literal_eval(
            _DictCalls().visit(ast.parse(text.strip(), mode='eval'))
        )
    except (SyntaxError, TypeError, ValueError) as error:
        raise ValueError(f'{text} is not a Python value') from error


class _DictCalls(ast.NodeTransformer):
    """Write ``dict(a=1)`` as ``{'a': 1}``."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        names = [keyword.arg for keyword in node.keywords]
        is_dict = isinstance(node.func, ast.Name) and node.func.id == 'dict'
        if not is_dict or node.args or None in names:
            return node
        keys: list[ast.expr | None] = [ast.Constant(name) for name in names]
        return ast.Dict(keys, [keyword.value for keyword in node.keywords])


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options`` to a tool.

    Args:
        parser (argparse.ArgumentParser): Parser of the tool.
    """
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        help='settings that override the config: key=value, a.b.c=value, key="[a,b]", '
        """key="[dict(type='X')]" """,
    )


def merge_cfg_options(cfg: Config, options: Mapping[str, Any] | None) -> None:
    """Override settings of a config.

    Args:
        cfg (Config): Config that is changed in place.
        options (Mapping[str, Any] | None): What the parser has read; None if the option
            was not given.

    Raises:
        ValueError: If a key changes nothing that is there, see :func:`check_options`.

    Example:
        >>> merge_cfg_options(cfg, {'train_cfg.max_epochs': 10})
    """
    if options is not None:
        check_options(cfg, options)
        cfg.merge_from_dict(options)
