"""People who are known from earlier tracks, and keep their numbers."""

import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mmreid_cc.clustering.input_checks import as_integers

from .known_tracks import UNDECIDED, no_tracks, pooled_tracks
from .people_corrections import CorrectablePeople
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
    """The person and the track of each image.

    Attributes:
        people (np.ndarray): (N,) int64, number of the person; −1 is undecided.
        new (np.ndarray): (N,) bool, whether this person has no tracks but these.
        tracks (np.ndarray): (N,) int64, row of the image's track in ``People.tracks``.
    """

    people: np.ndarray
    new: np.ndarray
    tracks: np.ndarray


class People(CorrectablePeople):
    """Known people, and the tracks by which they are recognised.

    Pass it the tracks of every day. Each track is assigned to a known person or to a
    new one, or stays undecided and is decided together with later tracks. A number
    never changes its meaning: if two people turn out to be one, or one to be two, an
    entry of ``log`` says so, and a number that is gone is never given again.

    A track is recognised by its contents, so passing it again changes nothing: after an
    interruption, repeat the same call.

    Args:
        model_hash (str): Hash of the network, see ``ReIDInferencer.model_hash``.
            Defaults to ``''``: unknown.
        false_matches (float): With how many known people an unknown person may reach
            the threshold on average, see :meth:`threshold`. A smaller number joins
            fewer tracks. This is not the share of wrong decisions, because only the
            most similar person is taken, and because the estimate is cautious.
            Defaults to 1.0.

    Attributes:
        model_hash (str): As given.
        false_matches (float): As given.
        tracks (KnownTracks): What is kept of each track, in the order of arrival.
        cameras (list[str]): Names of the cameras; ``''`` for unknown ones.
        names (dict[int, str]): Names of people, by number.
        settled (set[int]): People whom a user corrected or named: tracks are added to
            them, but they are never joined with each other or split.
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
        """Create known people from the result of a clustering.

        Args:
            embeddings (array): (N, D) floating, rows L2-normalised.
            labels (array): (N,) integers, number of the person; −1 is un-clustered,
                i.e. undecided. A track gets the label that most of its images have.
            cam_ids (array, optional): As for :meth:`assign`.
            tracks (array, optional): As for :meth:`assign`.
            times (array, optional): As for :meth:`assign`.
            keys (array, optional): As for :meth:`assign`.
            model_hash (str): See :class:`People`.
            false_matches (float): See :class:`People`.

        Returns:
            People: Known people with these numbers.

        Raises:
            TypeError: As :meth:`assign`, or if the labels are not integers.
            ValueError: As :meth:`assign`, or if the number of labels is not N.

        Example:
            >>> People.from_labels(np.eye(3), [0, 0, 1]).numbers
            array([0, 1])
        """
        people = cls(model_hash, false_matches)
        labels = as_integers(labels, 'labels')
        if len(labels) != len(embeddings):
            raise ValueError(
                f'{len(labels)} labels do not fit {len(embeddings)} embeddings.'
            )
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
        """Find out which people the tracks of some images show, and keep the tracks.

        Args:
            embeddings (array): (N, D) floating, rows L2-normalised, from the same
                network as all others. N may be 0.
            cam_ids (array, optional): (N,) number or name of the camera of each image;
                negative or empty is unknown. Defaults to None: all are unknown.
            tracks (array, optional): (N,) number or name of the track within camera and
                call; if negative or empty, the image is a track by itself. Defaults to
                None: each image is a track.
            times (array, optional): (N,) seconds, NaN for unknown. Tracks of one camera
                that overlap in time are different people. Defaults to None: unknown.
            keys (array, optional): (N,) int64 that identify images, e.g. hashes of
                files. Defaults to None: computed from the embeddings.

        Returns:
            Assignment: Person and track of each image.

        Raises:
            TypeError: If the embeddings are not floating-point numbers.
            ValueError: If they are not 2-D, finite and normalised, if they have another
                number of dimensions than the known tracks, or if another argument does
                not have N entries. No track is kept then.

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
        """Return the score at which a track is assigned to a person, with its errors.

        It is found from tracks, without labels: tracks of one camera that overlap in
        time show different people, and the two halves of a track show one. Across
        cameras, and after days, people look less like themselves, so ``miss`` is too
        low there.

        Returns:
            dict[str, float]: ``score``, in standard deviations of the similarity of
            different people; ``false_match``, the share of pairs of different people
            that reach it; ``miss``, the share of tracks whose halves do not (NaN if
            no track is long enough); ``assumed``, 1 if too few tracks overlap in time,
            so that ``false_match`` is that of typical networks.

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
        """Describe the result of :meth:`threshold` in a sentence.

        Returns:
            str: The sentence; with too few tracks, one that says so.
        """
        if len(self._known().people) < FEWEST:
            return f'Nobody can be recognised before {FEWEST} tracks are known.'
        found = self.threshold()
        basis = (
            'as for typical networks' if found['assumed'] else 'by overlapping tracks'
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
        """Copy the people, so that changes of the copy do not affect the original.

        Returns:
            People: The copy. It shares the embeddings, because they never change.
        """
        other = People(self.model_hash, self.false_matches)
        tracks = self.tracks
        other.tracks = tracks and tracks._replace(people=tracks.people.copy())
        other.cameras, other.names = list(self.cameras), dict(self.names)
        other.settled, other.log = set(self.settled), list(self.log)
        other._next, other._revision = self._next, self._revision
        return other

    def save(self, file: str | os.PathLike) -> None:
        """Write everything to one file, completely or not at all.

        Args:
            file (str | os.PathLike): Path, usually with the suffix ``.npz``; its folder
                is created. An existing file must be the one that was loaded or saved
                last.

        Raises:
            ChangedMeanwhileError: If another program has written the file since, or is
                writing it. Nothing is written then.
            OSError: If the file cannot be written. An existing file does not change.
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
        """Read people from a file.

        Args:
            file (str | os.PathLike): A file that :meth:`save` wrote.

        Returns:
            People: The people that were saved.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is a file of another kind, is incomplete, or comes from a
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
        """Decide new tracks, together with undecided ones that resemble them."""
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
