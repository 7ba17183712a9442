"""What an infrared camera sees: one channel, by what things are made of."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from .appearance import Appearance
from .camera import Camera
from .pixels import Colour, Image

SKIN = (195, 235)
HAIR = (35, 110)
DULL, REFLECTING = (35, 95), (140, 215)
REFLECTING_SHARE = 0.35
DYE = 0.12
"""How much of a cloth's lightness in visible light is left in infrared."""

_CLOTHES = (
    'hat_colour',
    'upper',
    'upper_accent',
    'inner',
    'lower',
    'shoes',
    'bag_colour',
)


def in_infrared(person: Appearance, rng: np.random.Generator) -> Appearance:
    """A person as near infrared light shows it: greys by material.

    Skin is bright. Of the colours of cloth next to nothing is left: most of it is dull,
    and some reflects, whatever its dye.

    Args:
        person: the appearance in visible light.
        rng: the source of the materials; the same for all pictures of a person.

    Returns:
        The same shapes and patterns, with greys in place of colours.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> person = in_infrared(random_appearance(rng), rng)
        >>> len(set(person.skin))
        1
    """
    greys: dict[str, Any] = {
        'skin': _grey(rng.uniform(*SKIN)),
        'hair': _grey(rng.uniform(*HAIR)),
    }
    for name in _CLOTHES:
        reflects = rng.random() < REFLECTING_SHARE
        brightness = rng.uniform(*(REFLECTING if reflects else DULL))
        colour = getattr(person, name)
        if colour is not None:
            greys[name] = _grey(brightness + DYE * (np.mean(colour) - 128))
    return replace(person, **greys)


def scene_in_infrared(panorama: Image) -> Image:
    """A scene in the light of an infrared lamp: grey, and darker than people.

    Args:
        panorama: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8, three equal channels.
    """
    grey = cv2.cvtColor(panorama, cv2.COLOR_RGB2GRAY)
    return np.repeat((0.6 * grey).astype(np.uint8)[..., None], 3, axis=2)


def take_infrared_picture(
    image: Image, camera: Camera, rng: np.random.Generator
) -> Image:
    """What an infrared camera makes of the light of its lamp.

    Args:
        image: (H, W, 3) uint8, greys.
        camera: the camera; its colours do not matter.
        rng: the source of the moment's light and noise.

    Returns:
        (H, W, 3) uint8, one channel three times: brighter in the middle, where the lamp
        shines, with the noise of a sensor in the dark, blur and JPEG artefacts.
    """
    height, width = image.shape[:2]
    gain = camera.gains[0] * rng.uniform(0.85, 1.15)
    levels = np.linspace(0, 1, 256, dtype=np.float32) ** np.float32(camera.gamma)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    lamp = 1 - 0.25 * (across**2 + down**2) / 2
    light = levels[image[..., 0]] * np.float32(255 * gain) * lamp
    seen = cv2.GaussianBlur(light, (0, 0), 1.5 * camera.blur * height)
    noise = rng.standard_normal(light.shape, np.float32)
    grain = 2 * camera.noise * noise * np.sqrt(np.maximum(seen, 1) / 128)
    pixels = np.clip(seen + grain, 0, 255).astype(np.uint8)
    quality = (cv2.IMWRITE_JPEG_QUALITY, camera.quality)
    _, code = cv2.imencode('.jpg', pixels, quality)
    grey = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _grey(brightness: float) -> Colour:
    level = int(np.clip(brightness, 0, 255))
    return level, level, level
