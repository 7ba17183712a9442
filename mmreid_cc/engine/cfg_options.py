"""``--cfg-options``: settings of the command line that override a config."""

import argparse
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config, DictAction

from .config_check import check_options


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options`` to a tool.

    Args:
        parser (argparse.ArgumentParser): Of the tool.
    """
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config: key=value, key="[a,b]", a.b.c=value',
    )


def merge_cfg_options(cfg: Config, options: Mapping[str, Any] | None) -> None:
    """Override settings of a config.

    Args:
        cfg (Config): Changed.
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
