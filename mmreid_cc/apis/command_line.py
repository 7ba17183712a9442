"""The part of the command line that all tools that embed images share."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmreid_cc.datasets.crops import UNKNOWN, Crop, drop_unreadable
from mmreid_cc.datasets.image_lists import read_image_list
from mmreid_cc.engine.cfg_options import add_cfg_options, merge_cfg_options
from mmreid_cc.engine.config_check import check_config
from mmreid_cc.engine.pretrained import PRETRAINED

from .images import each_image
from .inferencer import ReIDInferencer
from .model import load_config
from .path_metadata import listed_metadata, path_metadata


def inference_parser(description: str | None) -> argparse.ArgumentParser:
    """Create a parser of config, checkpoint, and how to run them.

    Args:
        description (str, optional): Description of the tool.

    Returns:
        argparse.ArgumentParser: A parser, to which the tool adds its own arguments.

    Example:
        >>> inference_parser(__doc__).parse_args(['config.py', 'best.pth']).batch_size
        64
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        'checkpoint',
        help="checkpoint file, or 'none' for the weights that the config names in "
        '`init_cfg`',
    )
    parser.add_argument(
        '--device', help='cpu, cuda or cuda:1 (default: a GPU if there is one)'
    )
    parser.add_argument('--batch-size', type=int, default=64, help='images in a batch')
    parser.add_argument(
        '--skip-unreadable',
        action='store_true',
        help='skip files that are not readable images, and list them',
    )
    add_cfg_options(parser)
    return parser


def add_pattern(parser: argparse.ArgumentParser) -> None:
    """Add ``--pattern``, for the tools that use metadata of images."""
    parser.add_argument(
        '--pattern',
        help='regular expression that finds metadata in the path of an image by its '
        r'named groups, such as "_c(?P<cam>\d+)"',
    )


def add_crops(parser: argparse.ArgumentParser) -> None:
    """Add the crops and ``--pattern``, for the tools that assign crops to people."""
    add_pattern(parser)
    parser.add_argument(
        'crops',
        help='folder of crops, searched with its sub-folders; or a CSV file that lists '
        'them, with the columns path,pid,cam,track,time',
    )


def crops_of(
    args: argparse.Namespace, parser: argparse.ArgumentParser
) -> tuple[Path, list[str], dict[str, np.ndarray]]:
    """Find the crops that a command line names.

    Args:
        args (argparse.Namespace): Arguments from :func:`inference_parser` and
            :func:`add_crops`.
        parser (argparse.ArgumentParser): Ends the program with an error if the crops
            are neither a folder nor a list.

    Returns:
        tuple[Path, list[str], dict[str, np.ndarray]]: The folder that holds them all;
        paths of N crops; metadata (N,) each.

    Raises:
        ValueError: If there is no crop, or its metadata cannot be read.
    """
    crops = Path(args.crops)
    if crops.is_file() and crops.suffix.lower() == '.csv':
        return crops.parent, *listed_images(args, args.crops)
    if not crops.is_dir():
        parser.error(
            f'crops must be a folder or a CSV file that exists, not {args.crops!r}'
        )
    paths = image_paths([args.crops], args.skip_unreadable)
    return crops, paths, metadata_of(args, paths)


def metadata_of(
    args: argparse.Namespace, paths: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return what ``--pattern`` finds in paths.

    Args:
        args (argparse.Namespace): Arguments of a parser with :func:`add_pattern`.
        paths (Sequence[str]): Paths of N images.

    Returns:
        dict[str, np.ndarray]: (N,) each, see :func:`path_metadata`; empty without a
        pattern.

    Raises:
        ValueError: If the pattern does not fit.
    """
    return {} if args.pattern is None else path_metadata(paths, args.pattern)


def listed_images(
    args: argparse.Namespace, file: str
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Read the images that a CSV file lists, and their metadata.

    Args:
        args (argparse.Namespace): Arguments from :func:`inference_parser` and
            :func:`add_pattern`.
        file (str): A list for :func:`read_image_list`, whose paths are relative to its
            folder.

    Returns:
        tuple[list[str], dict[str, np.ndarray]]: Paths of N images; metadata (N,) each.

    Raises:
        ValueError: If there is also a pattern, or the file lists no image or cannot be
            read.
    """
    if args.pattern is not None:
        raise ValueError(
            f'{file} has the metadata of the images in its columns, so leave out '
            '--pattern.'
        )
    images = read_image_list(Path(file), Path(file).parent)
    if args.skip_unreadable:
        crops = [Crop(image.path, UNKNOWN, 0) for image in images]
        readable = {crop.path for crop in drop_unreadable(crops, file)}
        images = [image for image in images if image.path in readable]
    if not images:
        raise ValueError(f'{file} lists no image.')
    return [image.path for image in images], listed_metadata(images)


def config_of(args: argparse.Namespace) -> Config:
    """Read the config with its overrides, and check it.

    Args:
        args (argparse.Namespace): Arguments from :func:`inference_parser`.

    Returns:
        Config: The config for :class:`ReIDInferencer`.

    Raises:
        ValueError: If a key or a name is misspelt.
    """
    cfg = load_config(args.config)
    merge_cfg_options(cfg, args.cfg_options)
    check_config(cfg)
    return cfg


def inferencer_of(args: argparse.Namespace, cfg: Config) -> ReIDInferencer:
    """Create the inferencer that a command line asks for.

    Args:
        args (argparse.Namespace): Arguments from :func:`inference_parser`.
        cfg (Config): Config from :func:`config_of`.

    Returns:
        ReIDInferencer: The inferencer, ready to use.
    """
    checkpoint = None if args.checkpoint == PRETRAINED else args.checkpoint
    return ReIDInferencer(cfg, checkpoint, args.device, args.batch_size)


def image_paths(given: Sequence[str], skip_unreadable: bool) -> list[str]:
    """Return the files that a command line names.

    Args:
        given (Sequence[str]): Images and folders.
        skip_unreadable (bool): Read every file once, leave out those that are no
            image, and list them in the log.

    Returns:
        list[str]: Their paths.

    Raises:
        FileNotFoundError: If a file or folder does not exist.
        ValueError: If a folder holds no image, or none can be read; or if URLs are to
            be left out where they cannot be read.

    Example:
        >>> image_paths(['crops/'], skip_unreadable=False)
        ['crops/a.jpg', 'crops/b/1.jpg']
    """
    for path in given:
        if '://' not in path and not os.path.lexists(path):
            raise FileNotFoundError(f'{path} does not exist.')
    paths = [str(path) for path in each_image(given)]
    if not skip_unreadable:
        return paths
    urls = [path for path in paths if '://' in path]
    if urls:
        raise ValueError(
            f'--skip-unreadable reads files, and {urls[0]} is a URL. Download it, or '
            'leave the option out.'
        )
    crops = [Crop(path, UNKNOWN, 0) for path in paths]
    return [crop.path for crop in drop_unreadable(crops, ', '.join(given))]
