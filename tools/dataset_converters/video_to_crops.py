"""Cut people out of videos by the boxes of a tracker: crops, and crops.csv.

The track files are MOTChallenge text, `frame,id,x,y,w,h,conf,...` with frames from 1,
or CSV files with these names in the first line. After an interruption, the same command
continues.
"""

import argparse
from collections import Counter
from pathlib import Path

from mmreid_cc.datasets.tables import as_seconds
from mmreid_cc.datasets.video import CropRules, Recording, cut_crops


def parser() -> argparse.ArgumentParser:
    rules = CropRules()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('videos', nargs='+', help='video files, or folders of frames')
    parser.add_argument(
        '--tracks', nargs='+', required=True, help='track file of each video'
    )
    parser.add_argument('--out', required=True, help='folder for the crops')
    parser.add_argument(
        '--cameras',
        nargs='+',
        help='name of the camera of each video (default: the name of its file)',
    )
    parser.add_argument(
        '--start',
        nargs='+',
        type=as_seconds,
        help='time of the first frame of each video, so that the cameras share one '
        'clock: seconds, or a date and time such as 2024-05-01T08:30:00 (default: 0)',
    )
    parser.add_argument(
        '--per-track',
        type=int,
        default=rules.per_track,
        help='largest number of crops of a track, spread over its time; 0 keeps all '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--every',
        type=int,
        default=1,
        help='take only every n-th frame (default: %(default)s)',
    )
    for name, kind, meaning in (
        ('min-height', int, 'smallest height of a box in pixels'),
        ('min-width', int, 'smallest width of a box in pixels'),
        ('min-confidence', float, 'smallest confidence of a box'),
        ('max-overlap', float, 'largest share of a box that another one covers'),
        ('margin', float, 'added on each side, as a share of the width and height'),
        ('min-sharpness', float, 'smallest variance of the Laplacian at 128 pixels'),
    ):
        default = getattr(rules, name.replace('-', '_'))
        text = f'{meaning} (default: {default})'
        parser.add_argument(f'--{name}', type=kind, default=default, help=text)
    parser.add_argument(
        '--first-frame',
        type=int,
        default=1,
        help='number of the first frame in the track files (default: %(default)s)',
    )
    parser.add_argument(
        '--fps', type=float, help='frames per second of folders of frames'
    )
    parser.add_argument(
        '--skip-broken', action='store_true', help='skip frames that cannot be decoded'
    )
    return parser


def camera_of(video: str) -> str:
    """Name the camera by its file; for MOT17-02/img1 by the folder above."""
    path = Path(video).resolve()
    return path.parent.name if path.name == 'img1' else path.stem


def main() -> None:
    arguments = parser()
    args = arguments.parse_args()
    count = len(args.videos)
    for name in ('tracks', 'cameras', 'start'):
        given = getattr(args, name)
        if given is not None and len(given) != count:
            arguments.error(f'--{name}: {len(given)} for {count} videos')
    cameras = args.cameras or [camera_of(video) for video in args.videos]
    (name, number), *_ = Counter(cameras).most_common(1)
    if number > 1 and args.cameras is None:
        arguments.error(
            f'{number} videos are called {name}. Name the camera of each with '
            '--cameras; give recordings of one camera the same name.'
        )
    rules = CropRules(
        per_track=args.per_track or None,
        every=args.every,
        min_height=args.min_height,
        min_width=args.min_width,
        min_confidence=args.min_confidence,
        max_overlap=args.max_overlap,
        margin=args.margin,
        min_sharpness=args.min_sharpness,
    )
    starts = args.start or [0.0] * count
    recordings = list(map(Recording, args.videos, args.tracks, cameras, starts))
    file = cut_crops(
        recordings,
        args.out,
        rules,
        first_frame=args.first_frame,
        fps=args.fps,
        skip_broken=args.skip_broken,
    )
    print(f'The crops are listed in {file}')


if __name__ == '__main__':
    main()
