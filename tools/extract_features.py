"""Embed images and save them: an .npz gallery to search in, or a table as .parquet."""

from pathlib import Path

from mmreid_cc.apis.command_line import (
    add_pattern,
    config_of,
    image_paths,
    inference_parser,
    inferencer_of,
    metadata_of,
)
from mmreid_cc.apis.parquet_file import check_parquet, write_parquet


def main() -> None:
    parser = inference_parser(__doc__)
    add_pattern(parser)
    parser.add_argument('images', nargs='+', help='images, and folders of them')
    parser.add_argument('--out', required=True, help='file: .npz or .parquet')
    args = parser.parse_args()
    suffix = Path(args.out).suffix.lower()
    if suffix not in ('.npz', '.parquet'):
        parser.error(f'--out must end in .npz or .parquet, not {args.out!r}')

    paths = image_paths(args.images, args.skip_unreadable)
    if suffix == '.parquet':
        check_parquet(paths)
    metadata = metadata_of(args, paths)
    gallery = inferencer_of(args, config_of(args)).build_gallery(paths, metadata)
    if suffix == '.npz':
        gallery.save(args.out)
    else:
        write_parquet(args.out, gallery)
    count, dim = gallery.embeddings.shape
    print(f'{count} embeddings of {dim} dimensions: {args.out}')


if __name__ == '__main__':
    main()
