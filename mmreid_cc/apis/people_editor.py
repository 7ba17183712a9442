"""The correction of known people by hand, as clusters of a gallery's images."""

import os

import numpy as np
from numpy.typing import ArrayLike

from .gallery import Gallery
from .known_tracks import pooled_tracks
from .label_editor import UNCLUSTERED, LabelEditor
from .people import People
from .track_keys import file_keys


class PeopleEditor(LabelEditor):
    """Correct known people by hand, as clusters of images.

    It has the steps of :class:`LabelEditor`, and its clusters have the numbers of
    people. Saving writes the file of the people, and the corrections stay when more
    tracks come. A change of images changes their tracks: a track follows most of its
    images in the gallery.

    Args:
        people (People): The loaded people.
        gallery (Gallery): Gallery of crops that were assigned, with the metadata
            ``cam_id``, ``track`` and ``time`` that they had then. Images that were not
            assigned are un-clustered.

    Raises:
        OSError: If an image cannot be read.
        ValueError: If the gallery is of another network, or none of its images is
            known.

    Example:
        >>> editor = PeopleEditor(People.load('people.npz'), gallery)  # doctest: +SKIP
        >>> editor.merge(4, 9)                                         # doctest: +SKIP
        >>> editor.save('people.npz')                                  # doctest: +SKIP
    """

    def __init__(self, people: People, gallery: Gallery) -> None:
        if people.model_hash != gallery.model_hash:
            raise ValueError(
                'The people and the gallery are of different networks (model hash '
                f'{people.model_hash or "unknown"} and '
                f'{gallery.model_hash or "unknown"}). Build the gallery with the '
                'config and checkpoint that the crops were assigned with.'
            )
        self.people = people
        self._kept: set[int] = set()
        self._rows = known_rows(people, gallery)
        if (self._rows < 0).all():
            raise ValueError(
                f'None of the {len(gallery)} images of the gallery belongs to a known '
                'track. Build it from crops that tools/assign.py has assigned, from '
                'the same CSV file or with the same --pattern.'
            )
        super().__init__(self._labels(), gallery.paths, gallery.embeddings)

    @property
    def unsaved(self) -> int:
        """The number of steps since the people were loaded or saved."""
        return super().unsaved + len(self._kept)

    def separate(self, rows: ArrayLike) -> int:
        """Move images into a new cluster, see :meth:`LabelEditor.separate`."""
        number = max(int(self.labels.max()) + 1, self.people.next_number)
        self._assign(rows, number)
        return number

    def keep_apart(self, cluster: int, other: int) -> None:
        """Record that two people are different, so that they are never joined.

        Args:
            cluster (int): One of them.
            other (int): The other one.

        Raises:
            ValueError: If there is no such cluster, or both are the same.
        """
        self._index(cluster)
        self._index(other)
        if cluster == other:
            raise ValueError(f'Cluster {cluster} cannot be told apart from itself.')
        self._kept |= {cluster, other}

    def save(self, file: str | os.PathLike) -> None:
        """Correct the people, and write their file; steps before cannot be undone.

        Args:
            file (str | os.PathLike): Path that they were loaded from.

        Raises:
            ChangedMeanwhileError: If another program has written it since, or is
                writing it. Nothing is written.
            OSError: If it cannot be written. An existing file does not change.
        """
        known = np.flatnonzero(self._rows >= 0)
        pairs, counts = np.unique(
            np.stack([self._rows[known], self.labels[known]]),
            axis=1,
            return_counts=True,
        )
        order = np.argsort(counts, kind='stable')
        given = dict(pairs[:, order].T.tolist())  # the last is that of most images
        tracks = np.array(list(given))
        labels = np.array(list(given.values()))
        corrected = self.people.copy()
        numbers = corrected.correct(tracks, labels)
        now = dict(zip(labels.tolist(), numbers.tolist(), strict=True))
        still = set(corrected.numbers.tolist())
        corrected.settle(*({now.get(number, number) for number in self._kept} & still))
        corrected.save(file)
        self.people = corrected
        self.labels[:] = self._labels()
        self._kept.clear()
        self._steps.clear()
        self._saved.clear()
        self._update()

    def _labels(self) -> np.ndarray:
        people = self.people.tracks
        assert people is not None  # some are known
        return np.where(self._rows < 0, UNCLUSTERED, people.people[self._rows])


def known_rows(people: People, gallery: Gallery) -> np.ndarray:
    """Find the tracks of a gallery's images among those that are known.

    Args:
        people (People): Known people.
        gallery (Gallery): Gallery of N images that have files.

    Returns:
        np.ndarray: (N,) int64, rows of ``people.tracks``; −1 for others.

    Raises:
        OSError: If an image cannot be read.
    """
    metadata = gallery.metadata
    given, place = pooled_tracks(
        gallery.embeddings,
        metadata.get('cam_id'),
        metadata.get('track'),
        metadata.get('time'),
        file_keys(gallery.paths),
        list(people.cameras),
    )
    if people.tracks is None or not len(people.tracks.keys):
        return np.full(len(gallery), -1)
    order = np.argsort(people.tracks.keys, kind='stable')
    found = np.searchsorted(people.tracks.keys, given.keys, sorter=order)
    rows = order[np.minimum(found, len(order) - 1)]
    rows[people.tracks.keys[rows] != given.keys] = -1
    return rows[place]
