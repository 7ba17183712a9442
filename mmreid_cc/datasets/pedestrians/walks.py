"""The walks of people through the views of cameras."""

from dataclasses import dataclass
from math import atan2, cos, pi, sin

import numpy as np

from .streams import Stream, generator

WIDTH, HEIGHT = 640, 360
HORIZON = 0.245 * HEIGHT  # row
FOCAL = 635.0  # pixels
CAMERA_HEIGHT = 2.47  # metres
PERSON_HEIGHT = 1.7  # metres, of a mean person
NEAREST, FARTHEST = 5.2, 13.0  # metres before the camera


@dataclass(frozen=True)
class Walk:
    """A person walks once through the view of a camera, on a straight line.

    Attributes:
        number: of the walk, counted for each camera from 1.
        person: identity.
        start: seconds, when it begins, just outside of the picture.
        duration: seconds.
        origin: metres to the right and before the camera, where it begins.
        velocity: metres a second, the same axes.
        cadence: double steps a second.
        stride: amplitude of the legs, radians.
        elbow: bend of the elbows, radians.
    """

    number: int
    person: int
    start: float
    duration: float
    origin: tuple[float, float]
    velocity: tuple[float, float]
    cadence: float
    stride: float
    elbow: float

    @property
    def yaw(self) -> float:
        """The direction of the walk in radians: 0 to the camera, π/2 to the right."""
        return atan2(self.velocity[0], -self.velocity[1])

    def place(self, time: float) -> tuple[float, float]:
        """Return the metres to the right of and before the camera at a time."""
        elapsed = time - self.start
        (x, z), (vx, vz) = self.origin, self.velocity
        return x + vx * elapsed, z + vz * elapsed


def plan_walks(
    seed: int, people: int, cameras: int, seconds: float
) -> list[list[Walk]]:
    """Plan all walks of a scene.

    A person comes by two cameras or more, one after the other; one in three comes by
    one of them again.

    Args:
        seed: of the scene.
        people: number of people, who are numbered from 1.
        cameras: number of cameras.
        seconds: length of the scene.

    Returns:
        For each camera its walks, in the order in which they begin.

    Example:
        >>> [len(walks) for walks in plan_walks(0, people=40, cameras=3, seconds=60)]
        [35, 35, 44]
    """
    tilts = [
        generator(seed, Stream.WALKS, 0, c).uniform(-0.6, 0.6) for c in range(cameras)
    ]
    walks: list[list[Walk]] = [[] for _ in range(cameras)]
    for person in range(1, people + 1):
        rng = generator(seed, Stream.WALKS, person)
        count = rng.integers(min(2, cameras), cameras + 1)
        visited = list(rng.permutation(cameras)[:count])
        if rng.random() < 1 / 3:
            visited.append(visited[0])
        own: list[tuple[int, Walk]] = []
        time = 0.0
        for camera in visited:
            walk = _walk(rng, person, time, tilts[camera])
            own.append((camera, walk))
            time = walk.start + walk.duration + rng.uniform(1.0, 5.0)
        delay = rng.uniform(0.0, max(0.0, seconds - time))
        for camera, walk in own:
            walks[camera].append(_moved(walk, walk.start + delay, number=0))
    return [
        [
            _moved(walk, walk.start, number)
            for number, walk in enumerate(sorted(each, key=_beginning), start=1)
        ]
        for each in walks
    ]


def _beginning(walk: Walk) -> tuple[float, int]:
    return walk.start, walk.person


def _moved(walk: Walk, start: float, number: int) -> Walk:
    return Walk(**{**vars(walk), 'start': start, 'number': number})


def _walk(rng: np.random.Generator, person: int, start: float, tilt: float) -> Walk:
    """Create a walk along the path of a camera, turned by ``tilt``, to one side."""
    angle = tilt + rng.normal(0.0, 0.12) + (pi if rng.random() < 0.5 else 0.0)
    speed = rng.uniform(1.1, 1.7)
    direction = cos(angle), sin(angle)
    middle = rng.normal(0.0, 0.5), rng.uniform(6.5, 9.5)
    steps = np.arange(0.0, 15.0, 0.05)
    forth = _last_inside(middle, direction, steps)
    back = _last_inside(middle, (-direction[0], -direction[1]), steps)
    origin = middle[0] - back * direction[0], middle[1] - back * direction[1]
    return Walk(
        number=0,
        person=person,
        start=start,
        duration=float((back + forth) / speed),
        origin=origin,
        velocity=(speed * direction[0], speed * direction[1]),
        cadence=rng.uniform(0.8, 1.0),
        stride=rng.uniform(0.35, 0.5),
        elbow=rng.uniform(0.05, 0.6),
    )


def _last_inside(
    middle: tuple[float, float], direction: tuple[float, float], steps: np.ndarray
) -> float:
    """Return how far somebody can walk within view and range, in metres."""
    x = middle[0] + steps * direction[0]
    z = middle[1] + steps * direction[1]
    outside = (abs(x) > 0.5 * WIDTH / FOCAL * z + 0.5) | (z < NEAREST) | (z > FARTHEST)
    return float(steps[int(np.argmax(outside))] if outside.any() else steps[-1])
