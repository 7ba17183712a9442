"""The frames of a drawn camera, with the boxes of the people in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi

import cv2
import numpy as np

from .appearance import Appearance, random_appearance
from .camera import Camera, make_camera, panorama_of
from .figure import Pose, body_parts
from .painting import View, figure_box, paint_figure
from .pixels import Image
from .streams import Stream, generator
from .walks import CAMERA_HEIGHT, FOCAL, HEIGHT, HORIZON, PERSON_HEIGHT, WIDTH, Walk

_SCALE = 2  # drawn at this scale and averaged, which smooths the edges
_GRID = 8  # pixels: how finely it is told who covers whom
_PANORAMA_HEIGHT = 512


@dataclass(frozen=True)
class SeenPerson:
    """A person in one frame.

    Attributes:
        walk: number of the walk.
        person: identity.
        box: left, top, width and height in pixels, also beyond the picture.
        visible: share of the box that is in the picture and that nobody covers.
    """

    walk: int
    person: int
    box: tuple[float, float, float, float]
    visible: float


def film(
    seed: int, camera: int, walks: list[Walk], seconds: float, fps: int
) -> Iterator[tuple[Image, list[SeenPerson]]]:
    """Film a camera's view.

    Args:
        seed: of the scene.
        camera: number of the camera.
        walks: the walks through its view.
        seconds: length.
        fps: frames a second.

    Yields:
        The picture, (360, 640, 3) uint8 RGB, and the people who are in it, the farthest
        first.
    """
    eye = make_camera(seed, camera)
    sensor = _Sensor(eye, seed, camera)
    ground = _background(seed, camera)
    people = {
        walk.person: random_appearance(generator(seed, Stream.PERSON, walk.person))
        for walk in walks
    }
    for index in range(round(seconds * fps)):
        time = index / fps
        present = [w for w in walks if 0 <= time - w.start <= w.duration]
        present.sort(key=lambda walk: -walk.place(time)[1])
        canvas = ground.copy()
        shade = np.full(canvas.shape[:2], 255, np.uint8)
        boxes = [_paint(canvas, shade, people[w.person], w, time, eye) for w in present]
        size = WIDTH, HEIGHT
        picture = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
        light = cv2.resize(shade, size, interpolation=cv2.INTER_AREA)
        light = cv2.cvtColor(cv2.GaussianBlur(light, (0, 0), 1.0), cv2.COLOR_GRAY2RGB)
        lit = np.asarray(cv2.multiply(picture, light, scale=1 / 255), np.uint8)
        seen = [
            SeenPerson(walk.number, walk.person, box, visible)
            for walk, box, visible in zip(present, boxes, _visible(boxes), strict=True)
        ]
        yield sensor.take(lit, index), [each for each in seen if each.visible > 0]


class _Sensor:
    """The picture of a camera, computed fast enough for videos.

    As :func:`take_picture`, in 8 bits, with a light that changes slowly, and a pattern
    of noise that is moved from frame to frame. The codec of the video takes the place
    of JPEG.
    """

    def __init__(self, eye: Camera, seed: int, camera: int) -> None:
        rng = generator(seed, Stream.SENSOR, camera)
        across = np.linspace(-0.5, 0.5, WIDTH)[None, :]
        down = np.linspace(-0.5, 0.5, HEIGHT)[:, None]
        slope = 1 + eye.slope[0] * across + eye.slope[1] * down
        slope = np.repeat((128 * slope)[..., None], 3, axis=2)
        self.slope = np.clip(slope, 0, 255).astype(np.uint8)
        # Half of that in single pictures, because video cameras average over frames.
        noise = rng.normal(0.0, eye.noise / 2, (2 * HEIGHT, 2 * WIDTH, 3))
        self.noise = noise.round().astype(np.int16)
        self.blur = eye.blur * 128  # pixels: of crops of this height
        self.eye = eye
        self.shifts = rng.integers(0, (HEIGHT, WIDTH), (997, 2))

    def take(self, picture: Image, index: int) -> Image:
        """Return the picture of a frame as the camera takes it."""
        swing = 1 + 0.03 * np.sin(index / 40)
        levels = np.linspace(0, 1, 256)[:, None] ** self.eye.gamma
        table = np.clip(255 * swing * levels * np.array(self.eye.gains), 0, 255)
        light = cv2.LUT(picture, table.round().astype(np.uint8)[None])
        light = cv2.multiply(light, self.slope, scale=1 / 128)
        light = cv2.GaussianBlur(light, (0, 0), self.blur)
        top, left = self.shifts[index % len(self.shifts)]
        noise = self.noise[top : top + HEIGHT, left : left + WIDTH]
        return np.asarray(cv2.add(light, noise, dtype=cv2.CV_8U), np.uint8)


def _background(seed: int, camera: int) -> Image:
    """Return a part of the camera's panorama, at the scale of the drawing."""
    panorama = panorama_of(seed, camera, _PANORAMA_HEIGHT)
    width = round(_PANORAMA_HEIGHT * WIDTH / HEIGHT)
    rng = generator(seed, Stream.SENSOR, camera, 1)
    left = int(rng.integers(panorama.shape[1] - width + 1))
    stretch = panorama[:, left : left + width]
    return np.asarray(cv2.resize(stretch, (_SCALE * WIDTH, _SCALE * HEIGHT)), np.uint8)


def _paint(
    canvas: Image,
    shade: Image,
    person: Appearance,
    walk: Walk,
    time: float,
    eye: Camera,
) -> tuple[float, float, float, float]:
    """Paint a walker with a shadow; return the box in pixels of the picture."""
    x, z = walk.place(time)
    scale = FOCAL * PERSON_HEIGHT / z * person.height
    column = WIDTH / 2 + FOCAL * x / z
    soles = HORIZON + FOCAL * CAMERA_HEIGHT / z
    phase = 2 * pi * walk.cadence * (time - walk.start)
    parts = body_parts(person, Pose(walk.yaw, walk.stride, phase, walk.elbow))
    crown = soles - scale * cos(eye.pitch)
    view = View(column, crown, scale, walk.yaw, eye.pitch)
    large = View(_SCALE * column, _SCALE * crown, _SCALE * scale, walk.yaw, eye.pitch)
    shadow = round(large.x + 0.05 * large.scale), round(_SCALE * soles)
    axes = round(0.2 * large.scale), round(0.035 * large.scale)
    cv2.ellipse(shade, shadow, axes, 0, 0, 360, 150, -1)
    paint_figure(canvas, shade, parts, large)
    return figure_box(parts, view)


def _visible(boxes: list[tuple[float, float, float, float]]) -> list[float]:
    """Return the share of each box that is visible in the picture."""
    free = np.ones((HEIGHT // _GRID, WIDTH // _GRID), dtype=bool)
    shares = []
    for left, top, width, height in reversed(boxes):
        low = np.array([top, left]) / _GRID
        high = np.array([top + height, left + width]) / _GRID
        cut = np.clip(np.rint([low, high]), 0, free.shape).astype(int)
        area = free[cut[0, 0] : cut[1, 0], cut[0, 1] : cut[1, 1]]
        whole = max(1.0, float(np.prod(np.rint(high) - np.rint(low))))
        shares.append(float(area.sum()) / whole)
        area[:] = False
    return shares[::-1]
