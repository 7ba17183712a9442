"""Search a gallery or a folder for images that look like the query images."""

from pathlib import Path

from mmreid_cc.apis import open_gallery
from mmreid_cc.apis.command_line import (
    config_of,
    image_paths,
    inference_parser,
    inferencer_of,
)
from mmreid_cc.apis.lance_table import is_lance_uri
from mmreid_cc.apis.search_results import results_table, search_sheet
from mmreid_cc.atomic_writing import check_writable
from mmreid_cc.visualization.figures import check_format, save_figure


def main() -> None:
    parser = inference_parser(__doc__)
    parser.add_argument(
        'gallery',
        help='.npz or .lance of tools/extract_features.py, or a folder of images',
    )
    parser.add_argument('query', nargs='+', help='image files and folders')
    parser.add_argument(
        '--topk', type=int, default=10, help='number of results for each query'
    )
    parser.add_argument(
        '--rerank', action='store_true', help='order results by k-reciprocal re-ranking'
    )
    parser.add_argument(
        '--pool',
        action='store_true',
        help='take all query images as images of one person',
    )
    parser.add_argument('--out', help='picture of the results, .png, .svg or .pdf')
    args = parser.parse_args()
    if args.out is not None:
        check_format(args.out)

    reid = inferencer_of(args, config_of(args))
    if Path(args.gallery).is_dir() and not is_lance_uri(args.gallery):
        gallery = reid.build_gallery(image_paths([args.gallery], args.skip_unreadable))
    else:
        gallery = open_gallery(args.gallery)
    queries = image_paths(args.query, args.skip_unreadable)
    if args.out is not None:
        check_writable(Path(args.out), queries)
    rows, scores = reid.search(
        queries, args.topk, gallery=gallery, rerank=args.rerank, pool=args.pool
    )
    shown = [queries] if args.pool else [[query] for query in queries]
    score_name = '1 − distance' if args.rerank else 'cosine'
    for shots, found, values in zip(shown, rows, scores, strict=True):
        print(results_table(shots, gallery, found, values, score_name), end='\n\n')
    if args.out is not None:
        save_figure(search_sheet(shown, gallery, rows, scores), args.out)
        print(f'Picture: {args.out}')


if __name__ == '__main__':
    main()
