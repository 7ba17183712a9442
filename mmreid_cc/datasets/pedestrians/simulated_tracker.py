"""A simulated detector and tracker, whose boxes have the usual mistakes."""

from dataclasses import dataclass

import numpy as np

from .scene_frames import SeenPerson

_LEAST_VISIBLE = 0.35
_MISSED = 0.03  # of the boxes
_GAP = 0.006  # chance that a gap begins, in each frame
_GAP_FRAMES = (4, 16)
_MEMORY = 8  # frames after which a tracker has forgotten
_SWITCH_OVERLAP = 0.3  # intersection over union
_SWITCH = 0.06  # chance of an identity switch, in each frame of such an overlap
_JITTER = 0.02  # of the size of a box


@dataclass(frozen=True)
class TrackedBox:
    """A line of a track file.

    Attributes:
        frame: its number, from 1.
        track: number of the track.
        box: left, top, width and height in pixels.
        confidence: 0–1.
        person: identity, which a tracker does not know.
    """

    frame: int
    track: int
    box: tuple[float, float, float, float]
    confidence: float
    person: int


class SimulatedTracker:
    """Turns true boxes into those of a tracker, with its mistakes.

    It does not see people who are mostly covered, misses boxes, and loses people for
    some frames. Somebody who is lost for long gets a new number, and people who cross
    sometimes swap their numbers.

    Args:
        rng: the source of all mistakes.

    Attributes:
        fragments: how often a person got a new number.
        switches: how often two people swapped theirs.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.fragments = self.switches = 0
        self._numbers: dict[int, int] = {}  # of the walks that are tracked
        self._seen: dict[int, int] = {}  # the last frame of each walk
        self._blind: dict[int, int] = {}  # the frame until which a walk is lost
        self._crossed: set[tuple[int, int]] = set()
        self._next = 1

    def track(self, frame: int, people: list[SeenPerson]) -> list[TrackedBox]:
        """Return the boxes of the next frame.

        Args:
            frame: its number, from 1, ascending from call to call.
            people: who is in it.

        Returns:
            What the tracker writes.
        """
        found = [person for person in people if self._detects(frame, person)]
        for person in found:
            self._number(frame, person.walk)
        self._switch(found)
        return [
            TrackedBox(
                frame,
                self._numbers[person.walk],
                self._jittered(person.box),
                float(
                    np.clip(self.rng.normal(0.5 + 0.4 * person.visible, 0.05), 0.3, 1)
                ),
                person.person,
            )
            for person in found
        ]

    def _detects(self, frame: int, person: SeenPerson) -> bool:
        missed, gap = self.rng.random(2)
        length = self.rng.integers(*_GAP_FRAMES)
        if gap < _GAP:
            self._blind[person.walk] = frame + int(length)
        lost = frame < self._blind.get(person.walk, 0)
        return person.visible > _LEAST_VISIBLE and missed > _MISSED and not lost

    def _number(self, frame: int, walk: int) -> None:
        known = walk in self._numbers
        if not known or frame - self._seen[walk] > _MEMORY:
            self.fragments += known
            self._numbers[walk] = self._next
            self._next += 1
        self._seen[walk] = frame

    def _switch(self, found: list[SeenPerson]) -> None:
        for index, one in enumerate(found):
            for other in found[index + 1 :]:
                chance = self.rng.random()
                pair = min(one.walk, other.walk), max(one.walk, other.walk)
                crossing = _iou(one.box, other.box) > _SWITCH_OVERLAP
                if crossing and chance < _SWITCH and pair not in self._crossed:
                    a, b = self._numbers[one.walk], self._numbers[other.walk]
                    self._numbers[one.walk], self._numbers[other.walk] = b, a
                    self._crossed.add(pair)
                    self.switches += 1

    def _jittered(
        self, box: tuple[float, float, float, float]
    ) -> tuple[float, float, float, float]:
        left, top, width, height = box
        dx, dy, dw, dh = _JITTER * self.rng.standard_normal(4)
        return (
            left + dx * width,
            top + dy * height,
            width * (1 + dw),
            height * (1 + dh),
        )


def _iou(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> float:
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
