"""The frames of a video file or of a folder of images, one after the other."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..crops import list_images
from ..decoding import decode_image


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        number: counted from 1.
        time: seconds since the first frame, NaN if unknown.
        pixels: returns (H, W, 3) uint8 in BGR order, upright; or None if the frame is
            broken. It is computed only then.
    """

    number: int
    time: float
    pixels: Callable[[], np.ndarray | None]


class Frames(ABC):
    """Base class of sources of frames.

    Attributes:
        source: file or folder.
        width: of the upright picture, pixels.
        height: of the upright picture, pixels.
    """

    source: Path
    width: int
    height: int

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Read all frames, in the order of their numbers."""

    @abstractmethod
    def expected(self) -> int:
        """Return the number of the last frame that the source states; 0 if none."""

    @abstractmethod
    def count(self) -> int:
        """Count the frames by reading the file to its end."""


def open_frames(
    source: str | Path, fps: float | None = None, skip_broken: bool = False
) -> Frames:
    """Open a video or a folder of frames.

    Args:
        source (str | Path): A video that FFmpeg reads, or a folder of images whose
            names end in their number, such as ``img1/000001.jpg``.
        fps (float, optional): Frames a second of a folder. Defaults to None: as
            ``seqinfo.ini`` in it or next to it says, or else times are unknown.
        skip_broken (bool): Pass over frames that cannot be decoded. Otherwise the first
            one ends it with an error. Defaults to False.

    Returns:
        Frames: Frames to be iterated over.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ImportError: If PyAV is not installed.
        ValueError: If it is no video, or the folder no such folder.

    Example:
        >>> frames = open_frames('cam1.mp4')
        >>> frames.width, frames.height
        (640, 360)
        >>> next(iter(frames)).pixels().shape
        (360, 640, 3)
    """
    source = Path(source)
    if not source.exists():
        raise FileNotFoundError(f'The video {source} does not exist.')
    if source.is_dir():
        return FrameFolder(source, fps)
    return VideoFile(source, skip_broken)


class VideoFile(Frames):
    """A video, decoded by FFmpeg in PyAV.

    Frames are those that are shown, in that order, turned upright as the file says, in
    8 bits. Their times are those of the file: also of a variable frame rate.

    Args:
        source (Path): The file.
        skip_broken (bool): See :func:`open_frames`.
    """

    def __init__(self, source: Path, skip_broken: bool = False) -> None:
        self.source, self.skip_broken = source, skip_broken
        self._av = pyav()
        first = next((frame for frame in self._decoded() if frame is not None), None)
        if first is None:
            raise ValueError(f'{source}: no frame of it can be decoded.')
        turned = first.rotation % 180 == 90
        size = (first.width, first.height)
        self.width, self.height = size[::-1] if turned else size

    def __iter__(self) -> Iterator[Frame]:
        """Decode all frames, see :class:`Frames`."""
        start: float | None = None
        for number, frame in enumerate(self._decoded(), start=1):
            if frame is None:
                yield Frame(number, math.nan, lambda: None)
                continue
            time = math.nan if frame.time is None else float(frame.time)
            if start is None and not math.isnan(time):
                start = time
            yield Frame(number, time - (start or 0.0), _Upright(frame))

    def expected(self) -> int:
        """See :class:`Frames`."""
        with self._opened() as container:
            return int(container.streams.video[0].frames)

    def count(self) -> int:
        """See :class:`Frames`."""
        with self._opened() as container:
            packets = container.demux(container.streams.video[0])
            return sum(1 for packet in packets if packet.size)

    def _opened(self) -> Any:
        try:
            container = self._av.open(str(self.source))
        except self._av.error.FFmpegError as error:
            raise ValueError(
                f'{self.source} cannot be read as a video ({error.strerror}).'
            ) from error
        if not container.streams.video:
            container.close()
            raise ValueError(f'{self.source} holds no video.')
        return container

    def _decoded(self) -> Iterator[Any]:
        """Yield frames of PyAV, None for a broken one."""
        number = 0
        with self._opened() as container:
            stream = container.streams.video[0]
            stream.thread_type = 'AUTO'
            packets = container.demux(stream)
            while True:
                why = 'its data are damaged'
                try:
                    packet = next(packets, None)
                    if packet is None:
                        return
                    frames = packet.decode()
                except self._av.error.FFmpegError as error:
                    frames, why = [None], error.strerror
                for frame in frames:
                    number += 1
                    if frame is not None and not frame.is_corrupt:
                        yield frame
                        continue
                    if not self.skip_broken:
                        raise ValueError(
                            f'{self.source}: frame {number} cannot be decoded ({why}). '
                            'Encode the video again, or skip the broken frames: '
                            '--skip-broken.'
                        )
                    yield None


class _Upright:
    """Converts frames of PyAV to upright pixels."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    def __call__(self) -> np.ndarray:
        pixels = self.frame.to_ndarray(format='bgr24')
        turns = round(self.frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(pixels, turns))


class FrameFolder(Frames):
    """A folder of images, whose names end in the number of the frame.

    Numbers count from 1, or from 0 if there is a 0. Some may be missing.

    Args:
        source (Path): The folder.
        fps (float, optional): See :func:`open_frames`.
    """

    def __init__(self, source: Path, fps: float | None = None) -> None:
        self.source, self.fps = source, fps or _frame_rate(source)
        files: dict[int, Path] = {}
        for path in list_images(source):
            digits = re.search(r'(\d+)\D*$', path.stem)
            if digits is None:
                raise ValueError(
                    f'{path}: its name has no number, so its place among the frames of '
                    f'{source} is unknown. Remove it, or rename it.'
                )
            other = files.setdefault(int(digits[1]), path)
            if other != path:
                raise ValueError(f'{other} and {path} are both frame {digits[1]}.')
        if not files:
            raise ValueError(f'The folder {source} holds no frame.')
        first = 1 if 0 in files else 0
        self.files = {number + first: files[number] for number in sorted(files)}
        self.height, self.width = self._read(next(iter(self.files.values()))).shape[:2]

    def __iter__(self) -> Iterator[Frame]:
        """Read all frames, see :class:`Frames`."""
        for number, path in self.files.items():
            time = (number - 1) / self.fps if self.fps else math.nan
            yield Frame(number, time, lambda path=path: self._read(path))  # type: ignore[misc]  # bound now

    def expected(self) -> int:
        """See :class:`Frames`."""
        return max(self.files)

    def count(self) -> int:
        """See :class:`Frames`."""
        return max(self.files)

    def _read(self, path: Path) -> np.ndarray:
        try:
            return np.asarray(decode_image(path))[:, :, ::-1]
        except Exception as error:  # Pillow raises many types on broken files
            raise ValueError(f'The frame {path} cannot be read ({error}).') from error


def _frame_rate(folder: Path) -> float | None:
    """Read the frame rate from MOTChallenge's ``seqinfo.ini``, if there is one."""
    for file in (folder / 'seqinfo.ini', folder.parent / 'seqinfo.ini'):
        if file.is_file():
            info = ConfigParser()
            info.read(file, encoding='utf-8-sig')
            return info.getfloat('Sequence', 'frameRate', fallback=None)
    return None


def pyav() -> Any:
    """Import the module ``av``.

    Returns:
        module: PyAV.

    Raises:
        ImportError: If it is not installed; it says what to do.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError(
            'Videos are read by PyAV, which is not installed: '
            'pip install "mmreid-cc[video]". A folder of frames needs no PyAV.'
        ) from error
    return av
