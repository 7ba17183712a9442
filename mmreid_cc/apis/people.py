"""People who are known from earlier tracks, and keep their numbers."""

import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mmreid_cc.clustering.input_checks import as_integers

from .known_people import KnownPeople
from .known_tracks import UNDECIDED, no_tracks, pooled_tracks
from .people_file import read_people, write_people_file
from .person_matching import (
    FEWEST,
    FEWEST_PEOPLE,
    Measure,
    match,
    measure,
    waiting_tracks,
)

_BLOCK = 2000  # tracks that are decided together


class Assignment(NamedTuple):
    """Who each image shows.

    Attributes:
        people (np.ndarray): (N,) int64, number of the person; −1 is undecided.
        new (np.ndarray): (N,) bool, whether this person has no other tracks than these.
        tracks (np.ndarray): (N,) int64, row of its track among all that are known.
    """

    people: np.ndarray
    new: np.ndarray
    tracks: np.ndarray


class People(KnownPeople):
    """Known people, and the tracks by which they are known.

    Give it the tracks of every day. Each is found to show a known person or a new one,
    or is kept undecided and decided together with later ones. A number never changes
    its meaning: where two people turn out to be one, or one to be two, an entry of
    ``log`` says so, and a number that is gone is never given again.

    A track is known by what it holds, so that the same one given again changes nothing:
    after an interruption, do the same again.

    Args:
        model_hash (str): Of the network, as ``ReIDInferencer.model_hash``. Defaults to
            ``''``: unknown.
        false_matches (float): How many known people somebody who is not known may look
            like enough, on average. It sets the threshold, see :meth:`threshold`: less
            joins fewer tracks. Defaults to 1.0; the most similar one is taken, and the
            estimate is cautious, so that this is no share of wrong decisions.

    Attributes:
        model_hash (str): As given.
        false_matches (float): As given.
        tracks (KnownTracks): What is kept of each track, in the order of coming.
        cameras (list[str]): Names of the cameras; ``''`` for unknown ones.
        names (dict[int, str]): What people are called, by number.
        settled (set[int]): People whom a user corrected or named: tracks are added to
            them, but they are never joined with each other or taken apart.
        log (list[dict]): Merges, splits and corrections, in their order.

    Raises:
        ValueError: If ``false_matches`` is not positive.

    Example:
        >>> people = People()
        >>> found = people.assign(monday, cam_ids, tracks, times)   # doctest: +SKIP
        >>> people.save('people.npz')                               # doctest: +SKIP
        >>> people = People.load('people.npz')                      # doctest: +SKIP
        >>> people.assign(tuesday, cam_ids, tracks, times).people   # doctest: +SKIP
        array([17, 17, 42, -1])
    """

    def __init__(self, model_hash: str = '', false_matches: float = 1.0) -> None:
        if not false_matches > 0:
            raise ValueError(f'false_matches must be positive, got {false_matches}.')
        super().__init__(model_hash)
        self.false_matches = false_matches
        self._revision = 0

    @classmethod
    def from_labels(
        cls,
        embeddings: Any,
        labels: ArrayLike,
        cam_ids: ArrayLike | None = None,
        tracks: ArrayLike | None = None,
        times: ArrayLike | None = None,
        *,
        keys: ArrayLike | None = None,
        model_hash: str = '',
        false_matches: float = 1.0,
    ) -> 'People':
        """Begin with the people that a clustering found.

        Args:
            embeddings (array): (N, D) floating, rows L2-normalised.
            labels (array): (N,) integers, number of the person; −1 is un-clustered:
                undecided. A track has the label that most of its images have.
            cam_ids (array, optional): As for :meth:`assign`, and so are the others.
            tracks (array, optional): Of each image.
            times (array, optional): Of each image.
            keys (array, optional): Of each image.
            model_hash (str): See :class:`People`.
            false_matches (float): See :class:`People`.

        Returns:
            People: With these numbers.

        Raises:
            TypeError: As :meth:`assign`, or if the labels are not integers.
            ValueError: As :meth:`assign`, or if there is not one label for each.

        Example:
            >>> People.from_labels(np.eye(3), [0, 0, 1]).numbers
            array([0, 1])
        """
        people = cls(model_hash, false_matches)
        labels = as_integers(labels, 'labels')
        if len(labels) != len(embeddings):
            raise ValueError(f'{len(labels)} labels for {len(embeddings)} embeddings.')
        new, place = pooled_tracks(
            embeddings, cam_ids, tracks, times, keys, people.cameras
        )
        votes, counts = np.unique(np.stack([place, labels]), axis=1, return_counts=True)
        order = np.argsort(counts, kind='stable')
        new.people[votes[0, order]] = np.maximum(votes[1, order], UNDECIDED)
        people.tracks = new
        people._next = int(new.people.max()) + 1
        return people

    def assign(
        self,
        embeddings: Any,
        cam_ids: ArrayLike | None = None,
        tracks: ArrayLike | None = None,
        times: ArrayLike | None = None,
        *,
        keys: ArrayLike | None = None,
    ) -> Assignment:
        """Find out who the tracks of some images show, and keep them.

        Args:
            embeddings (array): (N, D) floating, rows L2-normalised, of the network that
                the others are of. N may be 0.
            cam_ids (array, optional): (N,) number or name of the camera of each image;
                negative or empty is unknown. Defaults to None: all unknown.
            tracks (array, optional): (N,) number or name of its track within camera and
                call; negative or empty: it is a track by itself. Defaults to None: all
                are.
            times (array, optional): (N,) seconds, NaN for unknown. Tracks of one camera
                that overlap in time are different people. Defaults to None: unknown.
            keys (array, optional): (N,) int64 that tell images apart, e.g. hashes of
                files. Defaults to None: made of the embeddings.

        Returns:
            Assignment: Of each image.

        Raises:
            TypeError: If the embeddings are not floating-point numbers.
            ValueError: If they are not 2-D, finite and normalised, have another number
                of dimensions than those that are known, or something else has not N
                entries. Nothing is kept then.

        Example:
            >>> People().assign(np.eye(3)).people
            array([-1, -1, -1])
        """
        if np.shape(embeddings)[:1] == (0,):
            empty = np.empty(0, dtype=np.int64)
            return Assignment(empty, empty.astype(bool), empty)
        cameras = list(self.cameras)
        given, place = pooled_tracks(embeddings, cam_ids, tracks, times, keys, cameras)
        dim = given.embeddings.shape[1]
        if self.tracks is None:
            self.tracks = no_tracks(dim)
        known = self.tracks
        if known.embeddings.shape[1] != dim:
            raise ValueError(
                f'embeddings have {dim} columns, those of the known tracks '
                f'{known.embeddings.shape[1]}; both must come from one network.'
            )
        self.cameras = cameras
        fresh = np.flatnonzero(~np.isin(given.keys, known.keys))
        if len(fresh):
            self.tracks = known.joined(given.select(fresh))
        rows = np.arange(len(known.people), len(self.tracks.people))
        if len(rows) and len(self.tracks.people) >= FEWEST:
            measured = measure(self.tracks)
            for first in range(0, len(rows), _BLOCK):
                self._decide(rows[first : first + _BLOCK], measured)
        order = np.argsort(self.tracks.keys, kind='stable')
        found = np.searchsorted(self.tracks.keys, given.keys, sorter=order)
        row = order[found][place]
        people = self.tracks.people[row]
        elsewhere = np.delete(self.tracks.people, np.unique(row))
        new = (people != UNDECIDED) & ~np.isin(people, elsewhere)
        return Assignment(people, new, row)

    def threshold(self) -> dict[str, float]:
        """The score from which on a track is taken for a known person, and its errors.

        Found from tracks, without a label: those of one camera that overlap in time
        show different people, and the halves of a track show one. Across cameras, and
        after days, people look less like themselves, and ``miss`` is too low.

        Returns:
            dict[str, float]: ``score``, in standard deviations of the likeness of
            different people; ``false_match``, the share of pairs of different people
            that reach it; ``miss``, the share of tracks whose halves do not (NaN if
            none is long enough); ``assumed``, 1 if too few tracks overlap in time, so
            that the share of different people is that of usual networks.

        Raises:
            ValueError: If fewer than 8 tracks are known.

        Example:
            >>> People.load('people.npz').threshold()               # doctest: +SKIP
            {'score': 3.2, 'false_match': 0.004, 'miss': 0.06, 'assumed': 0.0}
        """
        if len(self._known().people) < FEWEST:
            raise ValueError(f'Only {len(self._known().people)} tracks are known.')
        rates = measure(self._known()).rates
        share = self.false_matches / max(len(self), FEWEST_PEOPLE)
        score = rates.threshold(share)
        return dict(
            score=score,
            false_match=rates.false_match(score),
            miss=rates.miss(score),
            assumed=float(rates.assumed),
        )

    def threshold_text(self) -> str:
        """What :meth:`threshold` tells, as a sentence for people.

        Returns:
            str: Or why nothing is told.
        """
        if len(self._known().people) < FEWEST:
            return f'Nobody is told apart before {FEWEST} tracks are known.'
        found = self.threshold()
        basis = (
            'as with usual networks' if found['assumed'] else 'by overlapping tracks'
        )
        missed = (
            ''
            if np.isnan(found['miss'])
            else (f', and is missed by {found["miss"]:.1%} of the halves of tracks')
        )
        return (
            f'Threshold {found["score"]:.2f}: {found["false_match"]:.2%} of the pairs '
            f'of different people reach it ({basis}){missed}.'
        )

    def copy(self) -> 'People':
        """The same people; what is done to one does not change the other.

        Returns:
            People: Embeddings are shared, as they never change.
        """
        other = People(self.model_hash, self.false_matches)
        tracks = self.tracks
        other.tracks = tracks and tracks._replace(people=tracks.people.copy())
        other.cameras, other.names = list(self.cameras), dict(self.names)
        other.settled, other.log = set(self.settled), list(self.log)
        other._next, other._revision = self._next, self._revision
        return other

    def correct(self, rows: ArrayLike, people: ArrayLike) -> np.ndarray:
        """Tell who tracks show. What a user says stays.

        It merges, tells apart and splits: people who lose or get a track are settled
        from now on.

        Args:
            rows (array): (n,) integers, of ``tracks``, each once.
            people (array): (n,) integers: a number of ``numbers``, −1 for undecided, or
                any other number for a new person, who gets the next number that is
                free.

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
        """Confirm people: they are never joined with each other or taken apart.

        Args:
            *numbers (int): Of ``numbers``, e.g. two who look alike and are not the
                same.

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
        """Call a person by a name, and settle him.

        Args:
            number (int): Of ``numbers``.
            name (str): Any text; ``''`` for none.

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

    def save(self, file: str | os.PathLike) -> None:
        """Write everything to one file, as a whole or not at all.

        Args:
            file (str | os.PathLike): Path, by custom ``.npz``; its folder is made. If
                it is there it must be the one that was loaded or saved last.

        Raises:
            ChangedMeanwhileError: If another program has written it since, or is
                writing it. Nothing is written.
            OSError: If it cannot be written. What was there before is still there.
            ValueError: If no track is known yet.

        Example:
            >>> people.save('people.npz')                           # doctest: +SKIP
        """
        about = dict(
            model_hash=self.model_hash,
            false_matches=self.false_matches,
            cameras=self.cameras,
            names={str(number): name for number, name in self.names.items()},
            settled=sorted(self.settled),
            log=self.log,
            next=self._next,
            revision=self._revision + 1,
        )
        write_people_file(file, self._known(), about)
        self._revision += 1

    @classmethod
    def load(cls, file: str | os.PathLike) -> 'People':
        """Read people.

        Args:
            file (str | os.PathLike): As :meth:`save` wrote it.

        Returns:
            People: As they were saved.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is another file, was not written to its end, or is of a
                newer version of this library.

        Example:
            >>> People.load('people.npz')                           # doctest: +SKIP
            People(149 people, 298 tracks, 12 undecided, model 5f0c2a1b9d3e4f67)
        """
        tracks, about = read_people(file)
        people = cls(about['model_hash'], about['false_matches'])
        people.tracks, people.cameras = tracks, about['cameras']
        people.names = {int(number): name for number, name in about['names'].items()}
        people.settled, people.log = set(about['settled']), about['log']
        people._next, people._revision = about['next'], about['revision']
        return people

    def _decide(self, rows: np.ndarray, measured: Measure) -> None:
        """Decide new tracks, together with those that wait and look like them."""
        tracks = self._known()
        waiting = waiting_tracks(tracks, rows, measured)
        changed, people = match(
            tracks,
            np.concatenate([waiting, rows]),
            self.settled,
            measured,
            self.false_matches,
            self._next,
        )
        self._next = max(self._next, int(people.max()) + 1)
        self._change(changed, people, by='assign')

    def _change(self, rows: np.ndarray, people: np.ndarray, by: str) -> None:
        """Give tracks to people, and log who has become whom."""
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
            # Of one who is gone, most tracks tell who that is now.
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
