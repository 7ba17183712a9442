"""Plot mAP, clusters, their quality and the loss over the epochs of a run."""

import argparse
from pathlib import Path

from mmreid_cc.visualization import curve_figure, read_scalars, save_figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', help='work dir of tools/train.py')
    parser.add_argument('--out', help='output file (default: WORK_DIR/curves.png)')
    args = parser.parse_args()

    curves = read_scalars(args.source)
    out = args.out or Path(args.source) / 'curves.png'
    save_figure(curve_figure(curves), out)
    print(f'Curves: {out}')
    for name, label in (('reid/mAP', 'mAP'), ('reid/CMC@1', 'rank-1')):
        if name in curves:
            (first, before), (last, after) = curves[name][0], curves[name][-1]
            print(
                f'{label}: {before:.1f} % after {first} epochs, {after:.1f} % after '
                f'{last} epochs'
            )


if __name__ == '__main__':
    main()
