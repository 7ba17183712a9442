"""The places that cameras look at: panoramas of streets, walls, shops and lawns."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import Colour, Image

_MEAN_LEVEL = 140
_CONTRAST = 0.5  # less than that of people, who stand before all scenes


def draw_panorama(height: int, rng: np.random.Generator) -> Image:
    """Draw all kinds of places side by side, in random order and colours.

    One camera sees many places, so the place does not reveal which camera took a
    picture, and features of an untrained network do not separate by camera.

    Args:
        height: rows, pixels; each place is as wide as high.
        rng: the source of all randomness.

    Returns:
        (height, 6 · height, 3) uint8 RGB, out of focus and a little uneven.
    """
    places = []
    for kind in rng.permutation(len(_PLACES)):
        place = np.empty((height, height, 3), np.uint8)
        _PLACES[kind](place, rng)
        places.append(place)
    image = cv2.GaussianBlur(np.concatenate(places, axis=1), (0, 0), height / 120)
    levels = _MEAN_LEVEL + _CONTRAST * (image - image.mean(dtype=np.float32))
    return np.clip(levels * _mottle(image.shape, rng), 0, 255).astype(np.uint8)


def _mottle(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return factors (H, W, 1) around 1 for stains and grain."""
    height, width, _ = shape
    stains = rng.normal(1.0, 0.05, (8, 8 * width // height)).astype(np.float32)
    grain = rng.normal(1.0, 0.03, (height // 4, width // 4)).astype(np.float32)
    factors = cv2.resize(stains, (width, height), interpolation=cv2.INTER_CUBIC)
    return (factors * cv2.resize(grain, (width, height)))[..., None]


def _street(image: Image, rng: np.random.Generator) -> None:
    """Draw house fronts, a kerb, and asphalt with a white line."""
    size = len(image)
    kerb = int(0.62 * size)
    image[:kerb] = _vary((150, 142, 132), rng)
    image[kerb:] = (104, 104, 106)
    for left in (size // 8, 5 * size // 8):
        top, tall = int(rng.uniform(0.06, 0.12) * size), int(0.3 * size)
        _box(image, left, top, size // 4, tall, _vary((84, 94, 104), rng))
        _box(image, left, top + tall, size // 4, size // 60, (176, 170, 162))
    image[kerb : kerb + size // 30] = (172, 170, 166)
    image[int(0.86 * size) : int(0.89 * size)] = (192, 192, 188)


def _bricks(image: Image, rng: np.random.Generator) -> None:
    """Draw a brick wall above pavement slabs."""
    size = len(image)
    ground = int(0.7 * size)
    image[:] = (150, 138, 126)
    tall, wide = size // 22, size // 8
    for row, top in enumerate(range(0, ground, tall)):
        for left in range(-(row % 2) * wide // 2, size, wide):
            _box(image, left, top, wide - 5, tall - 4, _vary((140, 96, 80), rng))
    _slabs(image, ground, (150, 150, 148))


def _park(image: Image, rng: np.random.Generator) -> None:
    """Draw a hedge with a tree, a lawn and a path."""
    size = len(image)
    image[:] = (112, 128, 84)
    image[: int(0.42 * size)] = (66, 88, 60)
    for x, y, radius in rng.uniform((0, 0, 0.012), (1, 0.46, 0.04), (size // 2, 3)):
        centre = (int(x * size), int(y * size))
        cv2.circle(image, centre, int(radius * size), _vary((70, 96, 62), rng, 22), -1)
    left = int(rng.uniform(0.1, 0.8) * size)
    _box(image, left, 0, size // 12, size // 2, (88, 70, 54))
    image[int(0.72 * size) :] = (164, 152, 132)


def _shop(image: Image, rng: np.random.Generator) -> None:
    """Draw lit shop windows in dark frames above pavement slabs."""
    size = len(image)
    ground = int(0.66 * size)
    image[:ground] = (58, 58, 64)
    top, tall, wide = int(0.1 * size), int(0.48 * size), int(0.47 * size)
    for left in (0, size // 2):
        _box(image, left, top, wide, tall, _vary((190, 180, 156), rng, 14))
        for x, w, h in rng.uniform((0, 0.05, 0.05), (0.35, 0.12, 0.12), (5, 3)):
            ware_top = top + tall - int(h * size)
            ware = _vary((130, 124, 118), rng, 50)
            _box(
                image,
                left + int(x * size),
                ware_top,
                int(w * size),
                int(h * size),
                ware,
            )
    image[: size // 14] = _vary((120, 62, 56), rng, 30)
    _slabs(image, ground, (134, 130, 126))


def _station(image: Image, rng: np.random.Generator) -> None:
    """Draw a tiled hall with a poster and a guiding line."""
    size = len(image)
    ground = int(0.58 * size)
    image[:ground] = (188, 192, 192)
    for line in range(0, size, size // 9):
        image[:ground, line : line + 3] = (160, 164, 166)
        image[line : min(line + 3, ground)] = (160, 164, 166)
    left = int(rng.uniform(0.1, 0.6) * size)
    _box(image, left, size // 9, size // 3, size // 4, _vary((96, 112, 136), rng, 40))
    image[ground:] = (122, 124, 128)
    image[int(0.74 * size) : int(0.79 * size)] = (186, 164, 84)


def _office(image: Image, rng: np.random.Generator) -> None:
    """Draw a corridor with a door and a glossy floor."""
    size = len(image)
    ground, top = int(0.74 * size), int(0.12 * size)
    image[:ground] = _vary((178, 168, 150), rng)
    image[ground:] = (112, 100, 92)
    image[ground - size // 40 : ground] = (92, 86, 80)
    left = int(rng.uniform(0.1, 0.6) * size)
    _box(image, left, top, size // 3, ground - top, _vary((124, 96, 70), rng))
    _box(image, left, ground, size // 3, size // 6, (104, 90, 80))


_PLACES: tuple[Callable[[Image, np.random.Generator], None], ...] = (
    _street,
    _bricks,
    _park,
    _shop,
    _station,
    _office,
)


def _slabs(image: Image, ground: int, colour: Colour) -> None:
    """Draw a pavement in perspective below row ``ground``."""
    size = len(image)
    image[ground:] = colour
    joint = (colour[0] - 26, colour[1] - 26, colour[2] - 26)
    for left in range(-size, 2 * size, size // 5):
        end = left + (left - size // 2) // 2
        cv2.line(image, (left, ground), (end, size), joint, 4)
    row, step = float(ground), size / 40
    while row < size:
        cv2.line(image, (0, int(row)), (size, int(row)), joint, 4)
        row, step = row + step, step * 1.5


def _box(
    image: Image, left: int, top: int, width: int, height: int, colour: Colour
) -> None:
    cv2.rectangle(image, (left, top), (left + width - 1, top + height - 1), colour, -1)


def _vary(colour: Colour, rng: np.random.Generator, spread: int = 10) -> Colour:
    red, green, blue = (
        int(np.clip(channel + rng.integers(-spread, spread + 1), 0, 255))
        for channel in colour
    )
    return red, green, blue
