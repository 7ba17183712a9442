"""Embed images and save them: a gallery as .npz or .lance, or a table as .parquet."""

import argparse
from pathlib import Path

import numpy as np

from mmreid_cc.apis.command_line import (
    add_pattern,
    config_of,
    image_paths,
    inference_parser,
    inferencer_of,
    listed_images,
    metadata_of,
)
from mmreid_cc.apis.image_sources import PARQUET, list_sources, read_parquet_list
from mmreid_cc.apis.lance_table import check_new
from mmreid_cc.apis.parquet_file import check_parquet, check_utf8, write_parquet
from mmreid_cc.apis.ray_extraction import extract_by_ray
from mmreid_cc.apis.shard_files import UNREADABLE_FILE
from mmreid_cc.atomic_writing import check_writable
from mmreid_cc.engine.pretrained import PRETRAINED
from mmreid_cc.ray_session import LOCAL, check_ray


def main() -> None:
    parser = inference_parser(__doc__)
    add_pattern(parser)
    parser.add_argument(
        'images',
        nargs='+',
        help='image files and folders, or one CSV file with the columns '
        'path,pid,cam,track,time; with --ray also URLs, where / ends a folder, and a '
        'Parquet file with the column path',
    )
    parser.add_argument('--out', required=True, help='output: .npz, .lance or .parquet')
    add_ray(parser)
    args = parser.parse_args()
    suffix = Path(args.out).suffix.lower()
    if args.ray is None and suffix not in ('.npz', '.lance', '.parquet'):
        parser.error(f'--out must end in .npz, .lance or .parquet, not {args.out!r}')
    if args.ray is not None and suffix in ('.npz', '.lance', '.parquet'):
        parser.error(f'with --ray, --out names a folder of shards, not {args.out!r}')

    endings = ('.csv',) if args.ray is None else ('.csv', PARQUET)
    lists = [name for name in args.images if name.lower().endswith(endings)]
    if lists and len(args.images) > 1:
        parser.error(f'give {lists[0]} alone, without other images')

    if args.ray is not None:
        check_ray()
        print(embed_on_workers(args, *images_for_workers(args)))
        return
    if lists:
        paths, metadata = listed_images(args, lists[0])
    else:
        paths = image_paths(args.images, args.skip_unreadable)
        metadata = metadata_of(args, paths)
    if suffix != '.lance':
        check_writable(Path(args.out))
    if suffix == '.parquet':
        check_parquet(paths)
    elif suffix == '.lance':
        check_new(args.out)
        check_utf8(paths, 'LanceDB')
    gallery = inferencer_of(args, config_of(args)).build_gallery(paths, metadata)
    if suffix == '.npz':
        gallery.save(args.out)
    elif suffix == '.lance':
        gallery.to_lance(args.out)
    else:
        write_parquet(args.out, gallery)
    count, dim = gallery.embeddings.shape
    print(f'{count} embeddings of {dim} dimensions: {args.out}')


def add_ray(parser: argparse.ArgumentParser) -> None:
    """Add the options of Ray."""
    group = parser.add_argument_group(
        'many images',
        'With --ray, several workers embed, unreadable files are listed and left out, '
        'and --out is a folder of Parquet shards. After an interruption, the same '
        'command continues the run.',
    )
    group.add_argument(
        '--ray',
        nargs='?',
        const=LOCAL,
        metavar='ADDRESS',
        help='embed on a Ray cluster (auto or HOST:PORT), or without an address on the '
        'cores of this machine',
    )
    group.add_argument(
        '--workers',
        type=int,
        help='number of workers (default: one for each GPU, or else for each core)',
    )
    group.add_argument(
        '--shard-size',
        type=int,
        default=4096,
        help='number of images in a shard (default: %(default)s)',
    )
    group.add_argument(
        '--dtype',
        choices=('float32', 'float16'),
        default='float32',
        help='type of the numbers in the shards (default: %(default)s)',
    )


def images_for_workers(
    args: argparse.Namespace,
) -> tuple[list[str], dict[str, np.ndarray]]:
    """List the images to embed by Ray, with their metadata; none is read yet."""
    first = args.images[0]
    if first.lower().endswith(PARQUET):
        if args.pattern is not None:
            raise ValueError(
                f'{first} has the metadata of the images in its columns, so leave out '
                '--pattern.'
            )
        return read_parquet_list(first)
    if first.lower().endswith('.csv'):
        args.skip_unreadable = False  # the workers see to that
        return listed_images(args, first)
    paths = list_sources(args.images)
    return paths, metadata_of(args, paths)


def embed_on_workers(
    args: argparse.Namespace, paths: list[str], metadata: dict[str, np.ndarray]
) -> str:
    """Embed images by Ray, and print the result."""
    checkpoint = None if args.checkpoint == PRETRAINED else args.checkpoint
    unreadable = extract_by_ray(
        config_of(args),
        checkpoint,
        paths,
        metadata,
        args.out,
        address=args.ray,
        workers=args.workers,
        device=args.device,
        batch_size=args.batch_size,
        shard_size=args.shard_size,
        dtype=args.dtype,
    )
    listed = f', listed in {UNREADABLE_FILE}' if unreadable else ''
    return (
        f'{len(paths) - len(unreadable)} embeddings, {len(unreadable)} unreadable '
        f'images{listed}: {args.out}'
    )


if __name__ == '__main__':
    main()
