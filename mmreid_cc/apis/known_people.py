"""Read access to known people: their tracks, means, views and names."""

from typing import Any

import numpy as np

from .known_tracks import UNDECIDED, KnownTracks


class KnownPeople:
    """Numbers, tracks and appearances of known people; :class:`People` adds to them.

    Args:
        model_hash (str): Hash of the network.
    """

    def __init__(self, model_hash: str) -> None:
        self.model_hash = model_hash
        self.tracks: KnownTracks | None = None
        self.cameras: list[str] = []
        self.names: dict[int, str] = {}
        self.settled: set[int] = set()
        self.log: list[dict[str, Any]] = []
        self._next = 0

    @property
    def numbers(self) -> np.ndarray:
        """The numbers of all people, (P,) int64, sorted."""
        known = self._known().people
        return np.unique(known[known != UNDECIDED])

    @property
    def next_number(self) -> int:
        """The number of the next new person, above all numbers that were ever given."""
        return self._next

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        known = self._known().people
        return (
            f'People({len(self)} people, {len(known)} tracks, '
            f'{np.count_nonzero(known == UNDECIDED)} undecided, '
            f'model {self.model_hash or "unknown"})'
        )

    def current(self, number: int) -> int:
        """Return the number that a person has now.

        Args:
            number (int): A number that was given at some time.

        Returns:
            int: Another number if the person turned out to be somebody else.

        Raises:
            ValueError: If the number was never given.

        Example:
            >>> people.current(9)                                   # doctest: +SKIP
            4
        """
        if not 0 <= number < self._next:
            raise ValueError(f'There is no person {number}.')
        for entry in self.log:
            if entry['event'] == 'merge' and entry['person'] == number:
                number = entry['into']
        return number

    def rows(self, number: int) -> np.ndarray:
        """Return the tracks of a person.

        Args:
            number (int): Number of the person.

        Returns:
            np.ndarray: (n,) int64, rows of ``tracks``.

        Raises:
            ValueError: If there is no such person. If the person has another number
                now, the error names it.
        """
        found = np.flatnonzero(self._known().people == number)
        if not len(found):
            now = self.current(number)
            hint = f' It is person {now} now.' if now != number else ''
            raise ValueError(f'There is no longer a person {number}.{hint}')
        return found

    def last_seen(self, number: int) -> float:
        """Return when a person was last seen.

        Args:
            number (int): Number of the person.

        Returns:
            float: Seconds, NaN if no time is known.
        """
        ends = self._known().intervals[self.rows(number), 1]
        return float(np.nanmax(ends)) if np.isfinite(ends).any() else float('nan')

    def mean(self, number: int) -> np.ndarray:
        """Return the mean embedding of a person.

        Args:
            number (int): Number of the person.

        Returns:
            np.ndarray: (D,) float32, L2-normalised.
        """
        mean = self._known().embeddings[self.rows(number)].astype(np.float32).mean(0)
        return mean / max(float(np.linalg.norm(mean)), 1e-12)

    def views(self, number: int, count: int = 4) -> np.ndarray:
        """Return the tracks of a person that look least like each other.

        Args:
            number (int): Number of the person.
            count (int): The largest number of tracks. Defaults to 4.

        Returns:
            np.ndarray: (≤ count,) int64, rows of ``tracks``; the most typical is first.
        """
        rows = self.rows(number)
        embeddings = self._known().embeddings[rows].astype(np.float32)
        chosen = [int((embeddings @ self.mean(number)).argmax())]
        nearest = embeddings @ embeddings[chosen[0]]
        while len(chosen) < min(count, len(rows)):
            nearest[chosen] = np.inf
            chosen.append(int(nearest.argmin()))
            nearest = np.maximum(nearest, embeddings @ embeddings[chosen[-1]])
        return rows[chosen]

    def _known(self) -> KnownTracks:
        if self.tracks is None:
            raise ValueError('No track is known yet. Assign some first.')
        return self.tracks
