"""Plot mAP, clusters, their quality and the loss over the epochs of runs."""

import argparse
from pathlib import Path

from mmreid_cc.visualization import (
    comparison_figure,
    curve_figure,
    read_scalars,
    save_figure,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'sources',
        nargs='+',
        metavar='WORK_DIR',
        help='work dir of tools/train.py; of several, the curves are compared',
    )
    parser.add_argument(
        '--out', help='output file (default: curves.png in the first WORK_DIR)'
    )
    args = parser.parse_args()

    names = [Path(source).resolve().name for source in args.sources]
    if len(set(names)) < len(names):
        names = args.sources
    runs = dict(zip(names, map(read_scalars, args.sources), strict=True))
    alone = len(runs) == 1
    figure = curve_figure(*runs.values()) if alone else comparison_figure(runs)
    out = args.out or Path(args.sources[0]) / 'curves.png'
    save_figure(figure, out)
    print(f'Curves: {out}')
    for run, curves in runs.items():
        whose = '' if alone else f'{run}: '
        for name, label in (('reid/mAP', 'mAP'), ('reid/CMC@1', 'rank-1')):
            if name in curves:
                (first, before), (last, after) = curves[name][0], curves[name][-1]
                print(
                    f'{whose}{label}: {before:.1f} % after {first} epochs, '
                    f'{after:.1f} % after {last} epochs'
                )


if __name__ == '__main__':
    main()
