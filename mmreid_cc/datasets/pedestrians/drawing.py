"""The drawing of one picture: a person before a camera at one moment."""

import cv2
import numpy as np

from .appearance import Appearance, random_appearance
from .camera import Camera, make_camera, panorama_of, take_picture
from .figure import Pose, body_parts
from .infrared import in_infrared, scene_in_infrared, take_infrared_picture
from .painting import View, paint_figure
from .pixels import Colour, Image
from .streams import Stream, generator

_CANVAS_HEIGHT = 512
"""Drawn at this height and scaled down by averaging, which smooths the edges."""


def draw_pedestrian(
    seed: int,
    identity: int,
    camera: int,
    shot: int,
    *,
    size: tuple[int, int] = (128, 64),
    infrared: bool = False,
) -> Image:
    """Draw a pedestrian as a camera sees one.

    The identity decides body, clothes and bag; the camera decides the place, its
    light, colours and sharpness and the way that people walk; the shot decides pose
    and position and whether something stands in the way. The same arguments give the
    same pixels.

    Args:
        seed: of the whole set, non-negative.
        identity: the person, non-negative.
        camera: the camera, non-negative.
        shot: the moment, non-negative.
        size: height (16–512) and width (8 up to twice the height) in pixels.
        infrared: whether the camera sees infrared light, see :func:`in_infrared`.

    Returns:
        (H, W, 3) uint8 RGB; of an infrared camera one channel three times.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> draw_pedestrian(0, identity=7, camera=1, shot=0).shape
        (128, 64, 3)
    """
    numbers = dict(seed=seed, identity=identity, camera=camera, shot=shot)
    for name, number in numbers.items():
        if number < 0:
            raise ValueError(f'{name} must be 0 or more, got {number}.')
    height, width = size
    if not (16 <= height <= _CANVAS_HEIGHT and 8 <= width <= 2 * height):
        raise ValueError(
            f'size must be (height, width) with a height of 16–{_CANVAS_HEIGHT} and a '
            f'width of 8 up to twice the height, got {tuple(size)}.'
        )
    eye = make_camera(seed, camera)
    person = random_appearance(generator(seed, Stream.PERSON, identity))
    stream = Stream.INFRARED_SHOT if infrared else Stream.SHOT
    rng = generator(seed, stream, identity, camera, shot)
    panorama = panorama_of(seed, camera, _CANVAS_HEIGHT)
    if infrared:
        person = in_infrared(person, generator(seed, Stream.MATERIAL, identity))
        panorama = scene_in_infrared(panorama)
    canvas_width = round(_CANVAS_HEIGHT * width / height)
    left = rng.integers(panorama.shape[1] - canvas_width + 1)
    canvas = panorama[:, left : left + canvas_width].copy()
    shade = np.full(canvas.shape[:2], 255, np.uint8)
    occluder = eye.occluder if rng.random() < 0.2 else 'none'
    if occluder == 'passer-by':
        aside = 0.9 * rng.choice((-1, 1)) * canvas_width
        stranger = random_appearance(rng)
        if infrared:
            stranger = in_infrared(stranger, rng)
        _place(canvas, shade, stranger, eye, rng, aside)
    _place(canvas, shade, person, eye, rng, aside=0.0)
    if occluder == 'pole':
        _put_pole(canvas, shade, rng)
    elif occluder == 'bench':
        _put_bench(canvas, shade)
    seen = _scaled_and_shaded(canvas, shade, height, width)
    take = take_infrared_picture if infrared else take_picture
    return take(seen, eye, rng)


def _scaled_and_shaded(canvas: Image, shade: Image, height: int, width: int) -> Image:
    colours = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    light = cv2.resize(shade, (width, height), interpolation=cv2.INTER_AREA)
    light = cv2.GaussianBlur(light, (0, 0), height / 160)
    return (colours * (light[..., None] / np.float32(255))).astype(np.uint8)


def _place(
    canvas: Image,
    shade: Image,
    person: Appearance,
    camera: Camera,
    rng: np.random.Generator,
    aside: float,
) -> None:
    """Place a walker with a shadow ``aside`` pixels from the middle of the canvas."""
    height, width = canvas.shape[:2]
    pose = Pose(
        yaw=camera.yaw + rng.choice((0.0, np.pi)) + rng.normal(0.0, 0.35),
        stride=rng.uniform(0.05, 0.5),
        phase=rng.uniform(0.0, 2 * np.pi),
        elbow=rng.uniform(0.05, 0.6),
    )
    scale = height * camera.zoom * person.height * rng.uniform(0.96, 1.04)
    x = width / 2 + aside + height * rng.uniform(-0.04, 0.04)
    soles = height * rng.uniform(0.955, 0.985)
    crown = soles - scale * np.cos(camera.pitch)
    shadow = (round(x + 0.05 * scale), round(soles - 0.01 * scale))
    axes = (round(0.2 * scale), round(0.035 * scale))
    cv2.ellipse(shade, shadow, axes, 0, 0, 360, 150, -1)
    view = View(x, crown, scale, pose.yaw, camera.pitch)
    paint_figure(canvas, shade, body_parts(person, pose), view)


def _put_pole(canvas: Image, shade: Image, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    left = int(rng.uniform(0.1, 0.8) * width)
    pole = slice(None), slice(left, left + height // 24)
    _cover(canvas, shade, pole, (86, 90, 92))
    _cover(
        canvas, shade, (slice(None), slice(left, left + height // 72)), (124, 128, 130)
    )


def _put_bench(canvas: Image, shade: Image) -> None:
    height = len(canvas)
    for top in (0.72, 0.8, 0.88):
        board = slice(int(top * height), int((top + 0.045) * height)), slice(None)
        _cover(canvas, shade, board, (116, 84, 56))


def _cover(
    canvas: Image, shade: Image, where: tuple[slice, slice], colour: Colour
) -> None:
    canvas[where] = colour
    shade[where] = 255
