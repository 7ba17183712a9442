"""Embed images and save them: an .npz gallery to search in, or a table as .parquet."""

from pathlib import Path

from mmreid_cc.apis.command_line import (
    add_pattern,
    config_of,
    image_paths,
    inference_parser,
    inferencer_of,
    listed_images,
    metadata_of,
)
from mmreid_cc.apis.parquet_file import check_parquet, write_parquet


def main() -> None:
    parser = inference_parser(__doc__)
    add_pattern(parser)
    parser.add_argument(
        'images',
        nargs='+',
        help='image files and folders, or one CSV file with the columns '
        'path,pid,cam,track,time',
    )
    parser.add_argument('--out', required=True, help='output file, .npz or .parquet')
    args = parser.parse_args()
    suffix = Path(args.out).suffix.lower()
    if suffix not in ('.npz', '.parquet'):
        parser.error(f'--out must end in .npz or .parquet, not {args.out!r}')

    lists = [name for name in args.images if name.lower().endswith('.csv')]
    if lists and len(args.images) > 1:
        parser.error(f'give {lists[0]} alone, without other images')

    if lists:
        paths, metadata = listed_images(args, lists[0])
    else:
        paths = image_paths(args.images, args.skip_unreadable)
        metadata = metadata_of(args, paths)
    if suffix == '.parquet':
        check_parquet(paths)
    gallery = inferencer_of(args, config_of(args)).build_gallery(paths, metadata)
    if suffix == '.npz':
        gallery.save(args.out)
    else:
        write_parquet(args.out, gallery)
    count, dim = gallery.embeddings.shape
    print(f'{count} embeddings of {dim} dimensions: {args.out}')


if __name__ == '__main__':
    main()
