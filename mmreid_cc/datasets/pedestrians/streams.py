"""Random numbers that depend only on what they are used for."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """Uses of random numbers, each of which is independent of the others."""

    PERSON = 0
    CAMERA = 1
    SCENE = 2
    SHOT = 3
    SIGHTINGS = 4
    WALKS = 5
    SENSOR = 6
    TRACKER = 7
    INFRARED_SHOT = 8
    MATERIAL = 9
    INFRARED_SIGHTINGS = 10


def generator(seed: int, stream: Stream, *numbers: int) -> np.random.Generator:
    """Create a generator for one subject.

    Args:
        seed: of the whole set, non-negative.
        stream: what the numbers are for.
        numbers: which one, for instance identity and camera; non-negative.

    Returns:
        A generator that is the same whenever the arguments are.

    Example:
        >>> generator(0, Stream.CAMERA, 2).random() == generator(0, 1, 2).random()
        True
    """
    return np.random.default_rng([seed, stream, *numbers])
