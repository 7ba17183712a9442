"""The writing of a drawn scene: a video of each camera, true and noisy tracks."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from ..video.frames import pyav
from .drawn_folder import check_ranges, write_once
from .scene_frames import film
from .simulated_tracker import SimulatedTracker, TrackedBox
from .streams import Stream, generator
from .walks import HEIGHT, WIDTH, plan_walks

SCENE_VERSION = 1
"""Counts changes of the drawing: scenes of different versions are not comparable."""

PARAMETER_FILE = 'synthetic_scene.json'
COLUMNS = ('frame', 'id', 'x', 'y', 'w', 'h', 'conf', 'pid')
_LIMITS = dict(
    seed=(0, 2**31 - 1),
    people=(1, 9999),
    cameras=(1, 9),
    seconds=(1, 3600),
    fps=(1, 60),
)


def write_scene(
    root: str | Path,
    *,
    seed: int = 0,
    people: int = 40,
    cameras: int = 3,
    seconds: int = 60,
    fps: int = 10,
) -> Path:
    """Draw the videos of several cameras with people who walk by.

    ::

        root/
        ├── synthetic_scene.json   parameters of the drawing
        ├── cam1.mp4               H.264, 640 × 360
        ├── cam1_true.csv          frame,id,x,y,w,h,conf,pid of all who can be seen
        ├── cam1_tracks.csv        the same as a tracker writes it, with mistakes
        └── cam2.mp4 …

    A person walks by two cameras or more, one after the other, and at times twice by
    one; people cover each other. In the true file a track is one walk through the view
    and ``conf`` the share of the box that can be seen; the other has gaps, several
    tracks of one walk, and some identity switches. ``pid`` is the person in both, which
    is for evaluation. All cameras share one clock, on which their videos begin at 0.

    The folder appears at once, when all is written. If it is there with equal
    parameters, nothing is done.

    Args:
        root: the folder to be made; it must be absent, empty, or written by this.
        seed: of people, cameras, walks and mistakes; non-negative.
        people: number of people, 1–9999.
        cameras: number of cameras, 1–9.
        seconds: length of the videos, 1–3600.
        fps: frames a second, 1–60.

    Returns:
        ``root``.

    Raises:
        FileExistsError: if ``root`` holds something else.
        ImportError: if PyAV is not installed.
        ValueError: if a number is out of its range.

    Example:
        >>> write_scene('data/scene')
        PosixPath('data/scene')
    """
    return write_scene_folder(
        root,
        write_videos,
        seed=seed,
        people=people,
        cameras=cameras,
        seconds=seconds,
        fps=fps,
    )


def write_scene_folder(
    root: str | Path, write: Callable[[Path, Any], None], **parameters: int | bool
) -> Path:
    """Write a folder of a scene unless it exists, see :func:`write_once`.

    Args:
        root: the folder to be made.
        write: writes the content, given a folder and the parameters.
        **parameters: those of :func:`write_scene`, and what else the content depends
            on.

    Returns:
        ``root``.

    Raises:
        FileExistsError: if ``root`` holds something else, or other parameters.
        ValueError: if a number is out of its range.
    """
    check_ranges(parameters, _LIMITS)
    what = (
        f'a scene of {parameters["people"]} people and {parameters["cameras"]} cameras'
    )
    described = dict(version=SCENE_VERSION, **parameters)
    return write_once(root, described, PARAMETER_FILE, what, write)


def write_videos(folder: Path, parameters: dict[str, Any]) -> None:
    """Write the videos and track files of a scene.

    Args:
        folder: exists.
        parameters: those of :func:`write_scene`.
    """
    seed, seconds, fps = (parameters[name] for name in ('seed', 'seconds', 'fps'))
    planned = plan_walks(seed, parameters['people'], parameters['cameras'], seconds)
    for camera, walks in enumerate(planned):
        name = f'cam{camera + 1}'
        tracker = SimulatedTracker(generator(seed, Stream.TRACKER, camera))
        true: list[TrackedBox] = []
        noisy: list[TrackedBox] = []
        with _Video(folder / f'{name}.mp4', fps) as video:
            frames = film(seed, camera, walks, seconds, fps)
            for number, (picture, seen) in enumerate(frames, start=1):
                video.add(picture)
                true += [
                    TrackedBox(number, p.walk, p.box, p.visible, p.person) for p in seen
                ]
                noisy += tracker.track(number, seen)
        _write_tracks(folder / f'{name}_true.csv', true)
        _write_tracks(folder / f'{name}_tracks.csv', noisy)
        print_log(
            f'{name}: {len(walks)} walks in {len({b.track for b in noisy})} tracks of '
            f'the simulated tracker, with {tracker.switches} identity switches.',
            logger='current',
        )


class _Video:
    """An H.264 file. One thread writes it, so that it depends on its frames alone."""

    def __init__(self, file: Path, fps: int) -> None:
        self._av = pyav()
        self._container = self._av.open(str(file), 'w')
        self._stream = self._container.add_stream('libx264', rate=fps)
        self._stream.width, self._stream.height = WIDTH, HEIGHT
        self._stream.pix_fmt = 'yuv420p'
        self._stream.options = {'preset': 'superfast', 'crf': '24', 'threads': '1'}

    def __enter__(self) -> '_Video':
        return self

    def __exit__(self, *error: object) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def add(self, picture: Any) -> None:
        """Append a picture, (H, W, 3) uint8 RGB."""
        frame = self._av.VideoFrame.from_ndarray(picture, format='rgb24')
        self._container.mux(self._stream.encode(frame))


def _write_tracks(file: Path, boxes: Iterable[TrackedBox]) -> None:
    with file.open('w', newline='', encoding='utf-8') as lines:
        writer = csv.writer(lines, lineterminator='\n')
        writer.writerow(COLUMNS)
        for box in boxes:
            sides = [f'{side:.1f}' for side in box.box]
            row = [box.frame, box.track, *sides, f'{box.confidence:.2f}', box.person]
            writer.writerow(row)
