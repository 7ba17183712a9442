"""The body in a pose: 3-D discs, grouped into parts with a colour and a depth.

Units are body heights. x points to the person's left, y from the crown (0) down to
the soles (1), z to where the person looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, sin

from .appearance import Appearance
from .pixels import Colour

Point = tuple[float, float, float]
Disc = tuple[float, float, float, float]
"""x, y, z and the radius of a disc that always faces the camera."""

SIDES = (-1, 1)
_EYES: Colour = (40, 30, 30)


@dataclass(frozen=True)
class Garment:
    """A fill of two colours, laid out by one of ``PATTERNS``."""

    pattern: str
    base: Colour
    accent: Colour


@dataclass(frozen=True)
class Part:
    """A piece of the figure.

    Attributes:
        hulls: the lists of discs; each list is painted as its convex hull. The first
            one decides the depth of the part.
        fill: one colour, or a garment.
        lift: added to the depth of the part, so that clothes are painted after the
            body under them and faces after hair.
    """

    hulls: list[list[Disc]]
    fill: Colour | Garment
    lift: float = 0.0


@dataclass(frozen=True)
class Pose:
    """One moment of a walk.

    Attributes:
        yaw: direction of the walk in radians: 0 towards the camera, π/2 to the right.
        stride: amplitude of the legs in radians, 0 for standing.
        phase: phase of the step in radians.
        elbow: bend of the elbows in radians.
    """

    yaw: float
    stride: float
    phase: float
    elbow: float


def body_parts(person: Appearance, pose: Pose) -> list[Part]:
    """Return the parts of a person in a pose.

    Args:
        person: the appearance.
        pose: the pose.

    Returns:
        The parts of legs, arms, torso, head and bag, in no particular order.

    Example:
        >>> import numpy as np
        >>> from mmreid_cc.datasets.pedestrians.appearance import random_appearance
        >>> person = random_appearance(np.random.default_rng(0))
        >>> len(body_parts(person, Pose(0.0, 0.4, 1.0, 0.2))) > 10
        True
    """
    swing = pose.stride * sin(pose.phase)
    hand = _hand(person, 1, -0.8 * swing, pose.elbow)
    return [
        *_leg(person, -1, -swing),
        *_leg(person, 1, swing),
        *_arm(person, -1, 0.8 * swing, pose.elbow),
        *_arm(person, 1, -0.8 * swing, pose.elbow),
        *_torso(person),
        *_head(person),
        *_bag(person, hand),
    ]


def _leg(person: Appearance, side: int, angle: float) -> Iterator[Part]:
    build = person.build
    lift = -0.1
    # The leg that swings back bends at the knee.
    shin_angle = angle - 0.03 - max(0.0, -angle) * 1.1
    hip = (side * 0.048 * build, 0.5, 0.0)
    knee = _along(hip, 0.235, angle)
    ankle = _along(knee, 0.22, shin_angle)
    toe = _along(ankle, 0.08, shin_angle + 1.35)
    yield Part([[(*ankle, 0.025), (*toe, 0.017)]], person.shoes, lift - 0.005)
    thigh: list[Disc] = [(*hip, 0.06 * build), (*knee, 0.044 * build)]
    if person.lower_kind == 'trousers':
        seam = _along(knee, 0.205, shin_angle)
        shin: list[Disc] = [thigh[1], (*seam, 0.036 * build)]
        yield Part([thigh, shin], person.lower, lift)
        return
    yield Part([thigh, [(*knee, 0.038 * build), (*ankle, 0.024)]], person.skin, lift)
    if person.lower_kind == 'shorts':
        seam = _along(hip, 0.19, angle)
        yield Part([[thigh[0], (*seam, 0.054 * build)]], person.lower, lift + 0.005)


def _elbow_and_wrist(
    person: Appearance, side: int, angle: float, bend: float
) -> tuple[Point, Point]:
    elbow = _along((side * 0.132 * person.build, 0.215, 0.0), 0.15, angle)
    return elbow, _along(elbow, 0.13, angle + bend)


def _hand(person: Appearance, side: int, angle: float, bend: float) -> Point:
    _, wrist = _elbow_and_wrist(person, side, angle, bend)
    return _along(wrist, 0.03, angle + bend)


def _arm(person: Appearance, side: int, angle: float, bend: float) -> Iterator[Part]:
    build = person.build
    shoulder = (side * 0.11 * build, 0.215, 0.0)
    elbow, wrist = _elbow_and_wrist(person, side, angle, bend)
    hand = _hand(person, side, angle, bend)
    lift = 0.04
    yield Part([[(*wrist, 0.018), (*hand, 0.02)]], person.skin, lift - 0.005)
    garment = _upper(person)
    if person.long_sleeves:
        upper: list[Disc] = [(*shoulder, 0.036), (*elbow, 0.03 * build)]
        yield Part([upper, [upper[1], (*wrist, 0.024)]], garment, lift)
        return
    upper = [(*shoulder, 0.032), (*elbow, 0.025 * build)]
    yield Part([upper, [upper[1], (*wrist, 0.019)]], person.skin, lift)
    cuff = _along(shoulder, 0.095, angle)
    yield Part([[(*shoulder, 0.037), (*cuff, 0.036 * build)]], garment, lift + 0.005)


def _torso(person: Appearance) -> Iterator[Part]:
    build = person.build
    hips = _pair(0.038 * build, 0.49, 0.0, 0.062 * build)
    if person.lower_kind == 'skirt':
        yield Part(
            [hips + _pair(0.05 * build, 0.61, 0.0, 0.078 * build)], person.lower, 0.02
        )
    else:
        yield Part([hips], person.lower, 0.01)
    yield Part([[(0.0, 0.13, 0.0, 0.027), (0.0, 0.18, 0.0, 0.036)]], person.skin, 0.025)
    shoulders = [*_pair(0.082 * build, 0.214, 0.0, 0.04), (0.0, 0.2, 0.0, 0.05)]
    waist = _pair(0.036 * build, 0.36, 0.012, 0.06 * build)
    hem = _pair(0.04 * build, person.hem - 0.06, 0.0, 0.064 * build)
    yield Part([shoulders + waist, waist + hem], _upper(person), 0.03)
    if person.inner is not None:
        gap = [(0.0, 0.2, 0.07, 0.032), (0.0, person.hem - 0.03, 0.07, 0.022)]
        yield Part([gap], person.inner)
    elif person.pattern == 'logo':
        yield Part([_pair(0.03 * build, 0.29, 0.07, 0.034)], person.upper_accent)


def _head(person: Appearance) -> Iterator[Part]:
    hair = person.skin if person.hair_style == 'bald' else person.hair
    skull = [(0.0, 0.06, -0.016, 0.06), (0.0, 0.08, -0.012, 0.052)]
    face = [(0.0, 0.084, 0.028, 0.044), (0.0, 0.106, 0.028, 0.037)]
    yield Part([skull], hair, 0.06)
    yield Part([face], person.skin, 0.07)
    for side in SIDES:
        yield Part([[(side * 0.019, 0.086, 0.06, 0.008)]], _EYES, 0.07)
    if person.hair_style == 'long':
        fall = _pair(0.03, 0.085, -0.03, 0.037) + _pair(0.035, 0.215, -0.04, 0.036)
        yield Part([fall], hair, 0.05)
    elif person.hair_style == 'bun':
        yield Part([[(0.0, 0.025, -0.065, 0.034)]], hair, 0.05)
    if person.hat != 'none':
        yield Part([[(0.0, 0.044, -0.01, 0.063)]], person.hat_colour, 0.065)
    if person.hat == 'cap':
        peak = _pair(0.026, 0.054, 0.035, 0.012) + _pair(0.022, 0.06, 0.1, 0.011)
        yield Part([peak], person.hat_colour, 0.08)


def _bag(person: Appearance, hand: Point) -> Iterator[Part]:
    colour = person.bag_colour
    dark = (colour[0] // 2, colour[1] // 2, colour[2] // 2)
    if person.bag == 'backpack':
        upper = _pair(0.055, 0.225, -0.07, 0.03) + _pair(0.055, 0.235, -0.11, 0.03)
        lower = _pair(0.06, 0.41, -0.07, 0.03) + _pair(0.06, 0.41, -0.14, 0.03)
        yield Part([upper + lower], colour)
        yield Part(
            [_pair(0.045, 0.36, -0.17, 0.012) + _pair(0.045, 0.41, -0.17, 0.012)], dark
        )
        for side in SIDES:
            x = side * 0.07
            yield Part([[(x, 0.19, 0.06, 0.013), (1.1 * x, 0.37, 0.06, 0.012)]], colour)
    elif person.bag == 'shoulder':
        x = 0.15 * person.build
        box = [(x, y, z, 0.022) for y in (0.44, 0.53) for z in (-0.065, 0.065)]
        yield Part([box], colour)
        for z in (-0.075, 0.075):
            strap = [(-0.08, 0.19, z, 0.011), (0.8 * x, 0.45, z, 0.011)]
            yield Part([strap], dark)
    elif person.bag == 'hand':
        x, y, z = hand
        top = [(x, y + 0.06, z + dz, 0.016) for dz in (-0.05, 0.05)]
        bottom = [(x, y + 0.15, z + dz, 0.016) for dz in (-0.065, 0.065)]
        yield Part([[(x, y, z, 0.01), *top]], dark, 0.04)
        yield Part([top + bottom], colour, 0.05)


def _upper(person: Appearance) -> Garment:
    return Garment(person.pattern, person.upper, person.upper_accent)


def _pair(x: float, y: float, z: float, radius: float) -> list[Disc]:
    return [(-x, y, z, radius), (x, y, z, radius)]


def _along(start: Point, length: float, angle: float) -> Point:
    """Return the end of a limb that starts at ``start``, swung by ``angle``."""
    x, y, z = start
    return x, y + length * cos(angle), z + length * sin(angle)
