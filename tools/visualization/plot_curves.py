"""Draw the curves of a run: ``python tools/visualization/plot_curves.py WORK_DIR``."""

import argparse
from pathlib import Path

from mmreid_cc.visualization import draw_curves, read_scalars


def main() -> None:
    parser = argparse.ArgumentParser(description='Draw the curves of a training run')
    parser.add_argument('work_dir', help='work dir of tools/train.py')
    parser.add_argument('--out', help='picture; WORK_DIR/curves.png if none')
    args = parser.parse_args()

    curves = read_scalars(args.work_dir)
    out = args.out or Path(args.work_dir) / 'curves.png'
    draw_curves(curves, out)
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
