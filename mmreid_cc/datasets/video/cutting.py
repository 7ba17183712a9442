"""The cutting of recordings into a folder of crops with their list."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from mmreid_cc.clustering.progress import track

from ..crops import NO_TRACK
from .crop_list import CropList
from .frames import Frames, open_frames
from .selection import Chosen, CropRules, choose_crops, sharpness
from .tracks import Tracks, read_tracks
from .twins import join_twins


@dataclass(frozen=True)
class Recording:
    """A video of one camera, and the tracks in it.

    Attributes:
        video: a video file, or a folder of frames.
        tracks: track file, see :func:`read_tracks`.
        camera: name of the camera. Recordings of one camera share it.
        start: seconds of its first frame on the clock that all cameras share.
    """

    video: str
    tracks: str
    camera: str
    start: float = 0.0


def cut_crops(
    recordings: Sequence[Recording],
    out: str | Path,
    rules: CropRules | None = None,
    *,
    first_frame: int = 1,
    fps: float | None = None,
    skip_broken: bool = False,
) -> Path:
    """Cut the people out of videos.

    .. code-block:: none

        out
        ├── crops.csv               path,pid,cam,track,time,frame,x,y,w,h,confidence
        ├── video_to_crops.json     the settings
        └── door/                   a folder for each camera
            └── 000017_000250.jpg   track 17, frame 250

    Tracks of the first recording keep their numbers; those of the others continue, so
    that no two recordings share one. Two tracks that follow one person are one, see
    :func:`join_twins`. After an interruption, the same call continues.

    Args:
        recordings (Sequence[Recording]): One or more.
        out (str | Path): Folder for the crops.
        rules (CropRules, optional): Rules that choose which crops are cut. Defaults to
            None: the defaults.
        first_frame (int): See :func:`read_tracks`. Defaults to 1.
        fps (float, optional): See :func:`open_frames`. Defaults to None.
        skip_broken (bool): See :func:`open_frames`. Defaults to False.

    Returns:
        Path: The list, ``out/crops.csv``.

    Raises:
        FileExistsError: If ``out`` holds something else.
        FileNotFoundError: If a video or a track file is missing.
        ValueError: If one cannot be read, frames differ in size, a camera has no proper
            name or two recordings of the same start, or a track continues after the end
            of its video.

    Example:
        >>> door = Recording('door.mp4', 'door.txt', camera='door')
        >>> cut_crops([door], 'crops', CropRules(per_track=10))
        PosixPath('crops/crops.csv')
    """
    rules = rules or CropRules()
    _check_cameras(recordings)
    all_tracks = [join_twins(read_tracks(r.tracks, first_frame)) for r in recordings]
    options = dict(first_frame=first_frame, fps=fps, skip_broken=skip_broken)
    crops = CropList(
        out,
        {**asdict(rules), **options},
        [
            dict(asdict(r), video=Path(r.video).name, tracks=_digest(Path(r.tracks)))
            for r in recordings
        ],
    )
    first_track = 0
    for recording, tracks in zip(recordings, all_tracks, strict=True):
        frames = open_frames(recording.video, fps, skip_broken)
        _check_length(frames, tracks)
        chosen = choose_crops(tracks, frames.width, frames.height, rules)
        before = len(crops)
        left_out = _cut(recording, tracks, frames, chosen, rules, first_track, crops)
        counts = {**chosen.left_out, **left_out}
        listed = ', '.join(f'{n} {reason}' for reason, n in counts.items() if n)
        print_log(
            f'{recording.video}: {len(crops) - before} new crops of '
            f'{len(np.unique(tracks.ids[chosen.rows]))} tracks of camera '
            f'{recording.camera}. Boxes left out: {listed or "none"}.',
            logger='current',
        )
        first_track += int(tracks.ids.max()) + 1
    return crops.file


def _cut(
    recording: Recording,
    tracks: Tracks,
    frames: Frames,
    chosen: Chosen,
    rules: CropRules,
    first_track: int,
    crops: CropList,
) -> dict[str, int]:
    """Cut chosen boxes that are not listed yet; count those left out by reason."""
    paths = [_path(recording, tracks, row, first_track) for row in chosen.rows]
    wanted: dict[int, list[int]] = {}
    for place, path in enumerate(paths):
        if path not in crops:
            wanted.setdefault(int(tracks.frames[chosen.rows[place]]), []).append(place)
    left_out = {'blurred': 0, 'in broken frames': 0}
    if not wanted:
        return left_out
    last, name = max(wanted), Path(recording.video).name
    number = 0
    for frame in track(frames, name, total=frames.expected() or last):
        number = frame.number
        places = wanted.pop(number, [])
        pixels = frame.pixels() if places else None
        if pixels is not None and pixels.shape[:2] != (frames.height, frames.width):
            height, width = pixels.shape[:2]
            raise ValueError(
                f'{recording.video}: frame {number} has {width} × {height} pixels, the '
                f'first one {frames.width} × {frames.height}. All boxes of a track '
                'file refer to one size: split the video where its size changes.'
            )
        for place in places:
            row = int(chosen.rows[place])
            if pixels is None:
                left_out['in broken frames'] += 1
                continue
            left, top, right, bottom = chosen.areas[place]
            crop = pixels[top:bottom, left:right]
            if rules.min_sharpness and sharpness(crop) < rules.min_sharpness:
                left_out['blurred'] += 1
                continue
            x, y, w, h = (f'{value:.6g}' for value in tracks.boxes[row])
            crops.add(
                crop,
                path=paths[place],
                pid=tracks.pids[row],
                cam=recording.camera,
                track=_track(tracks, row, first_track),
                time=_text(recording.start + frame.time, '.3f'),
                frame=number,
                **dict(x=x, y=y, w=w, h=h),
                confidence=_text(tracks.confidences[row], '.4g'),
            )
        if number >= last:
            break
    if wanted:
        missing = min(wanted)
        row = int(chosen.rows[wanted[missing][0]])
        raise ValueError(
            f'{tracks.file}, line {tracks.lines[row]}: {recording.video} has no frame '
            f'{missing}{f"; its last is {number}" if number < missing else ""}. Is '
            'this the track file of another video?'
        )
    return left_out


def _check_length(frames: Frames, tracks: Tracks) -> None:
    """Check that the video is as long as its tracks, before anything is cut."""
    last = int(np.argmax(tracks.frames))
    needed = tracks.frames[last]
    # A file may state a wrong length.
    if needed > frames.expected() and needed > (number := frames.count()):
        raise ValueError(
            f'{tracks.file}, line {tracks.lines[last]}: there is a box in frame '
            f'{needed}, but {frames.source} has only {number} frames. Is this the '
            'track file of another video?'
        )


def _check_cameras(recordings: Sequence[Recording]) -> None:
    """Check the names of cameras, and that their recordings do not overlap."""
    before: dict[tuple[str, float], Recording] = {}
    for recording in recordings:
        name = recording.camera
        if not name or name != Path(name).name or name.startswith('.'):
            raise ValueError(
                f'{name!r} cannot be the name of a camera, because its crops are in a '
                'folder of that name.'
            )
        if other := before.get((name, recording.start)):
            raise ValueError(
                f'{other.video} and {recording.video} are of the camera {name}, and '
                f'both begin at {recording.start:g} s. If there are two cameras, give '
                'them two names (--cameras); if it is one, say when each video begins '
                '(--start).'
            )
        before[name, recording.start] = recording


def _path(recording: Recording, tracks: Tracks, row: int, first_track: int) -> str:
    number = _track(tracks, row, first_track)
    # Without a track several boxes of a frame are told apart by their lines.
    name = f'{number:06d}' if number != NO_TRACK else f'line{tracks.lines[row]}'
    start = f'_{recording.start:.3f}' if number == NO_TRACK else ''
    return f'{recording.camera}/{name}_{tracks.frames[row]:06d}{start}.jpg'


def _track(tracks: Tracks, row: int, first_track: int) -> int:
    number = int(tracks.ids[row])
    return number if number == NO_TRACK else first_track + number


def _text(value: float, form: str) -> str:
    return '' if math.isnan(value) else format(value, form)


def _digest(file: Path) -> str:
    """Compute a hash of the content of a track file."""
    return f'{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}'
