"""The start of ``tools/train.py`` and ``tools/test.py``: arguments, config, process."""

import argparse
import os
from multiprocessing import util
from pathlib import Path

from mmengine.config import Config

from mmreid_cc.allocator import keep_freed_memory

from .cfg_options import add_cfg_options, merge_cfg_options
from .config_check import check_config
from .launch import (
    check_work_dir,
    drop_own_scope,
    fit_loaders,
    prepare_processes,
    set_data_root,
)
from .precision_settings import set_arithmetic
from .safe_loading import load_checkpoints_safely


def run_parser(description: str) -> argparse.ArgumentParser:
    """Create a parser of the arguments that training and testing share.

    Args:
        description (str): What the tool does.

    Returns:
        argparse.ArgumentParser: A parser, to which the tool adds its own arguments.

    Example:
        >>> run_parser('Train a model').parse_args(['config.py']).launcher
        'none'
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--work-dir',
        help='folder for logs and checkpoints (default: work_dirs/<name of config>)',
    )
    parser.add_argument(
        '--data-root', help='folder of the data set; replaces those in the config'
    )
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes of a distributed run (default: %(default)s)',
    )
    # Launchers that set no environment variable pass this argument.
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS
    )
    return parser


def start_process(args: argparse.Namespace) -> None:
    """Set up this process, before it reads anything.

    Args:
        args (argparse.Namespace): Arguments from :func:`run_parser`.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    keep_freed_memory()
    share_temporary_folder()
    load_checkpoints_safely()


def config_of_run(args: argparse.Namespace) -> Config:
    """Read the config, and let the command line override it.

    Args:
        args (argparse.Namespace): Arguments from :func:`run_parser`.

    Returns:
        Config: A config for a Runner, after :func:`check_run` has passed.

    Raises:
        ValueError: If ``--cfg-options`` names a key that the config does not have.

    Example:
        >>> config_of_run(run_parser('').parse_args(['configs/cc_r50_own.py'])).work_dir
        'work_dirs/cc_r50_own'
    """
    cfg = Config.fromfile(args.config)
    drop_own_scope(cfg)
    cfg.launcher = args.launcher
    default = os.path.join('work_dirs', Path(args.config).stem)
    cfg.work_dir = args.work_dir or cfg.get('work_dir', default)
    if args.data_root is not None:
        set_data_root(cfg, args.data_root)
    merge_cfg_options(cfg, args.cfg_options)
    return cfg


def check_run(cfg: Config) -> None:
    """Check a config, and prepare this process and machine for it.

    Args:
        cfg (Config): Config from :func:`config_of_run`. Changed in place.

    Raises:
        ValueError: If something in the config is unknown or cannot run here.
        OSError: If its ``work_dir`` cannot be written.
    """
    check_config(cfg)
    check_work_dir(cfg.work_dir)
    set_arithmetic(cfg)
    fit_loaders(cfg)
    prepare_processes(cfg)


def share_temporary_folder() -> None:
    """Give loader processes the temporary folder of the main process.

    To pass a batch on, a loader process creates a socket in a folder ``pymp-*``.
    PyTorch ends most loader processes by a signal, after which nobody removes the
    folder, so every run would leave one for each of them. If this is called before they
    start, the main process creates one folder for all, and removes it when it ends,
    also by Ctrl-C.

    Example:
        >>> share_temporary_folder()
        >>> runner.train()
    """
    util.get_temp_dir()
