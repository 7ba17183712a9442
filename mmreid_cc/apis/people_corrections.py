"""Corrections of known people by hand, and the log of what changed."""

import numpy as np
from numpy.typing import ArrayLike

from mmreid_cc.clustering.input_checks import as_integers

from .known_people import KnownPeople
from .known_tracks import UNDECIDED


class CorrectablePeople(KnownPeople):
    """Known people whom a user corrects, confirms and names.

    Args:
        model_hash (str): Hash of the network.
    """

    def correct(self, rows: ArrayLike, people: ArrayLike) -> np.ndarray:
        """Set whom tracks show.

        This merges people, splits them and tells them apart. People who lose or get a
        track are settled from then on.

        Args:
            rows (array): (n,) integers, rows of ``tracks``, each at most once.
            people (array): (n,) integers: a number in ``numbers``, −1 for undecided, or
                any other number for a new person, who gets the next free number.

        Returns:
            np.ndarray: (n,) int64, the numbers that they have now.

        Raises:
            TypeError: If rows or people are not integers.
            ValueError: If there is no such track, or a number is below −1.

        Example:
            >>> people.correct(people.rows(9), np.full(3, 4))       # doctest: +SKIP
            array([4, 4, 4])
        """
        tracks = self._known()
        rows, given = as_integers(rows, 'rows'), as_integers(people, 'people')
        if len(rows) != len(given) or len(np.unique(rows)) != len(rows):
            raise ValueError(
                f'Give each track once and one person for each, not {len(rows)} rows '
                f'with {len(given)} people.'
            )
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(tracks.people):
            raise ValueError(f'Rows must lie in 0…{len(tracks.people) - 1}.')
        if len(given) and given.min() < UNDECIDED:
            raise ValueError(f'People are numbered from 0, not {given.min()}.')
        present = {UNDECIDED, *self.numbers.tolist()}
        now = {number: number for number in present}
        for number in given.tolist():
            if number not in now:
                now[number], self._next = self._next, self._next + 1
        numbers = np.array([now[number] for number in given.tolist()], dtype=np.int64)
        changed = np.flatnonzero(tracks.people[rows] != numbers)
        touched = {*tracks.people[rows[changed]].tolist(), *numbers[changed].tolist()}
        self._change(rows, numbers, by='user')
        self.settled |= touched - {UNDECIDED}
        self.settled &= set(self.numbers.tolist())
        return numbers

    def settle(self, *numbers: int) -> None:
        """Confirm people, so that they are never joined with each other or split.

        Args:
            *numbers (int): Numbers of people, e.g. of two who look alike and are not
                the same person.

        Raises:
            ValueError: If there is no such person.

        Example:
            >>> people.settle(4, 9)                                 # doctest: +SKIP
        """
        for number in numbers:
            self.rows(number)
        new = sorted(set(numbers) - self.settled)
        if new:
            self.settled.update(new)
            self.log.append(dict(event='settle', people=new, by='user'))

    def name(self, number: int, name: str) -> None:
        """Give a person a name, and settle this person.

        Args:
            number (int): Number of the person.
            name (str): Any text; ``''`` removes the name.

        Raises:
            ValueError: If there is no such person.

        Example:
            >>> people.name(4, 'Ann')                               # doctest: +SKIP
        """
        self.settle(number)
        self.names.pop(number, None)
        if name:
            self.names[number] = name
        self.log.append(dict(event='name', person=number, name=name, by='user'))

    def _change(self, rows: np.ndarray, people: np.ndarray, by: str) -> None:
        """Assign tracks to people, and log merges and splits."""
        numbers = self._known().people
        moved = (numbers[rows] != people) & (numbers[rows] != UNDECIDED)
        pairs, counts = np.unique(
            np.stack([numbers[rows[moved]], people[moved]]), axis=1, return_counts=True
        )
        numbers[rows] = people
        left = np.isin(pairs[0], numbers)
        for (old, new), count, stays in zip(
            pairs.T.tolist(), counts.tolist(), left, strict=True
        ):
            # If a person is gone, the one who got most of the tracks is the heir.
            heir = pairs[1][pairs[0] == old][counts[pairs[0] == old].argmax()]
            whole = not stays and new == heir != UNDECIDED
            event = 'merge' if whole else 'split'
            entry = dict(event=event, person=old, into=new, tracks=count, by=by)
            self.log.append(entry)
            if whole:
                self.names.setdefault(new, self.names.get(old, ''))
        self.names = {
            number: name
            for number, name in self.names.items()
            if name and number in numbers
        }
