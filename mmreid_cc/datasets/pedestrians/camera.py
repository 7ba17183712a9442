"""Drawn cameras: their view, and how they change colours and sharpness."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from .pixels import Image
from .scenes import draw_panorama
from .streams import Stream, generator

OCCLUDERS = ('none', 'pole', 'bench', 'passer-by')


@dataclass(frozen=True)
class Camera:
    """The properties that all pictures of a camera share.

    Attributes:
        occluder: one of ``OCCLUDERS``, present in some of the pictures.
        yaw: direction of the way through its view in radians; people come and go.
        pitch: how far it looks down, radians.
        zoom: body height of a mean person as a share of the picture's height.
        gains: factors of red, green and blue: exposure and colour cast.
        gamma: exponent of the intensities.
        slope: how much lighter the right edge is than the left, and the lower than
            the upper, as shares.
        blur: standard deviation of the blur as a share of the picture's height.
        noise: standard deviation of the noise, grey levels.
        quality: JPEG quality, 0–100.
    """

    occluder: str
    yaw: float
    pitch: float
    zoom: float
    gains: tuple[float, float, float]
    gamma: float
    slope: tuple[float, float]
    blur: float
    noise: float
    quality: int


@lru_cache(maxsize=64)
def make_camera(seed: int, number: int) -> Camera:
    """Create the camera with a number in the set of a seed.

    Args:
        seed: of the whole set, non-negative.
        number: of the camera, non-negative.

    Returns:
        The camera.

    Example:
        >>> make_camera(0, 1).occluder
        'pole'
    """
    rng = generator(seed, Stream.CAMERA, number)
    red, green, blue = rng.uniform(0.94, 1.06) * rng.uniform(0.97, 1.03, 3)
    return Camera(
        occluder=OCCLUDERS[number % len(OCCLUDERS)],
        yaw=rng.uniform(-np.pi / 2, np.pi / 2),
        pitch=rng.uniform(0.05, 0.3),
        zoom=rng.uniform(0.95, 0.99),
        gains=(float(red), float(green), float(blue)),
        gamma=rng.uniform(0.9, 1.15),
        slope=(rng.uniform(-0.15, 0.15), rng.uniform(-0.15, 0.15)),
        blur=rng.uniform(0.002, 0.006),
        noise=rng.uniform(2.0, 6.0),
        quality=int(rng.integers(60, 91)),
    )


@lru_cache(maxsize=16)
def panorama_of(seed: int, number: int, height: int) -> Image:
    """Return the scene before a camera, (height, 6 · height, 3) uint8 RGB.

    The array is shared by all calls and must not be changed.
    """
    return draw_panorama(height, generator(seed, Stream.SCENE, number))


def take_picture(image: Image, camera: Camera, rng: np.random.Generator) -> Image:
    """Turn light into the picture of a camera.

    The light changes from picture to picture, too, about as much as from camera to
    camera.

    Args:
        image: (H, W, 3) uint8 RGB, the world.
        camera: the camera.
        rng: the source of the moment's light and noise.

    Returns:
        (H, W, 3) uint8 RGB: the world in the camera's light and colours, with its
        blur, noise and JPEG artefacts.
    """
    height, width = image.shape[:2]
    gamma = camera.gamma * rng.uniform(0.95, 1.05)
    gains = np.array(camera.gains) * rng.uniform(0.95, 1.05)
    gains *= rng.uniform(0.98, 1.02, 3)
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :, None]
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None, None]
    levels = np.linspace(0, 1, 256, dtype=np.float32) ** gamma
    light = levels[image] * (255 * gains.astype(np.float32))
    light *= 1 + camera.slope[0] * across + camera.slope[1] * down
    noise = camera.noise * rng.standard_normal(light.shape, np.float32)
    light = cv2.GaussianBlur(light, (0, 0), camera.blur * height) + noise
    pixels = np.clip(light, 0, 255).astype(np.uint8)
    quality = (cv2.IMWRITE_JPEG_QUALITY, camera.quality)
    # OpenCV takes the channels for BGR; both ways the same, so order does not matter.
    _, code = cv2.imencode('.jpg', pixels, quality)
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
