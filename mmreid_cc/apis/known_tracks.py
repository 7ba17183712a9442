"""The tracks of known people as columns, as they are kept in a file."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mmreid_cc.clustering.input_checks import as_features, check_normalized
from mmreid_cc.clustering.track_pooling import pool_tracks
from mmreid_cc.clustering.tracks import number_tracks, track_intervals

from .metadata_numbers import camera_name, known_numbers
from .track_keys import row_keys, track_keys

UNDECIDED = -1
_LEAST_HALVED = 4  # images of a track whose halves are compared


class KnownTracks(NamedTuple):
    """Tracks of known people, a row for each.

    Attributes:
        embeddings (np.ndarray): (T, D) float16, the pooled embedding of each.
        people (np.ndarray): (T,) int64, number of the person; −1 is undecided.
        cam_ids (np.ndarray): (T,) int64, position in a list of cameras.
        intervals (np.ndarray): (T, 2) float64, first and last time; NaN if unknown.
        crops (np.ndarray): (T,) int64, number of images of each.
        halves (np.ndarray): (T,) float32, cosine between the halves; NaN if too short.
        keys (np.ndarray): (T,) int64, hashes by which a track is recognised.
    """

    embeddings: np.ndarray
    people: np.ndarray
    cam_ids: np.ndarray
    intervals: np.ndarray
    crops: np.ndarray
    halves: np.ndarray
    keys: np.ndarray

    def select(self, rows: np.ndarray) -> 'KnownTracks':
        """Return some of the tracks.

        Args:
            rows (np.ndarray): Indices, or (T,) booleans.

        Returns:
            KnownTracks: Copies.
        """
        return KnownTracks(*(column[rows] for column in self))

    def joined(self, others: 'KnownTracks') -> 'KnownTracks':
        """Append other tracks to these.

        Args:
            others (KnownTracks): Tracks of the same D.

        Returns:
            KnownTracks: New arrays.
        """
        pairs = zip(self, others, strict=True)
        return KnownTracks(*(np.concatenate(pair) for pair in pairs))


def no_tracks(dim: int) -> KnownTracks:
    """Create a table without a row.

    Args:
        dim (int): D.

    Returns:
        KnownTracks: Tracks with T = 0.
    """
    integers = np.empty(0, dtype=np.int64)
    return KnownTracks(
        np.empty((0, dim), dtype=np.float16),
        integers,
        integers,
        np.empty((0, 2)),
        integers,
        np.empty(0, dtype=np.float32),
        integers,
    )


def pooled_tracks(
    embeddings: Any,
    cameras: ArrayLike | None,
    tracks: ArrayLike | None,
    times: ArrayLike | None,
    keys: ArrayLike | None,
    known_cameras: list[str],
) -> tuple[KnownTracks, np.ndarray]:
    """Pool the images of each track.

    Args:
        embeddings (array): (N, D) floating, rows L2-normalised.
        cameras (array | None): (N,) number or name of the camera of each image.
        tracks (array | None): (N,) number or name of its track within the camera;
            negative or empty: none.
        times (array | None): (N,) seconds, NaN for unknown.
        keys (array | None): (N,) int64 of each image, see :class:`People`. None: from
            the embeddings.
        known_cameras (list[str]): Names; new ones are appended to it.

    Returns:
        tuple[KnownTracks, np.ndarray]: Undecided tracks, and (N,) int64, the row of
        each image in them. Tracks of the same images, cameras and times are one row.

    Raises:
        TypeError: If the embeddings are not floating-point numbers.
        ValueError: If they are not 2-D, finite and normalised, or there is not one
            camera, track, time or key for each.
    """
    features = as_features(embeddings, 'embeddings')
    check_normalized(features)
    count = len(features)
    columns = dict(cam_ids=cameras, tracks=tracks, times=times, keys=keys)
    for name, column in columns.items():
        if column is not None and np.shape(column) != (count,):
            raise ValueError(
                f'{name} must have one entry for each of the {count} embeddings, got '
                f'shape {np.shape(column)}.'
            )
    seconds = np.full(count, np.nan) if times is None else np.asarray(times, float)
    cam_ids = _camera_ids(cameras, count, known_cameras)
    numbers = np.full(count, -1) if tracks is None else known_numbers(tracks)
    groups = number_tracks(numbers, cam_ids)
    _, first, crops = np.unique(groups, return_index=True, return_counts=True)
    of_images = row_keys(features) if keys is None else np.asarray(keys, np.int64)
    named = [known_cameras[camera] for camera in cam_ids[first]]
    pooled = KnownTracks(
        pool_tracks(features, groups).astype(np.float16),
        np.full(len(first), UNDECIDED),
        cam_ids[first],
        track_intervals(groups, seconds),
        crops.astype(np.int64),
        _half_cosines(features, groups, seconds),
        track_keys(groups, of_images, seconds, named),
    )
    # The same track twice in one portion counts once.
    _, kept, place = np.unique(pooled.keys, return_index=True, return_inverse=True)
    order = np.argsort(first[kept], kind='stable')  # in the order of the images
    rank = np.argsort(order)
    return pooled.select(kept[order]), rank[place][groups]


def _camera_ids(
    cameras: ArrayLike | None, count: int, known_cameras: list[str]
) -> np.ndarray:
    names = np.full(count, '') if cameras is None else np.asarray(cameras)
    unique, inverse = np.unique(names, return_inverse=True)
    ids = []
    for name in (camera_name(value) or '' for value in unique):
        if name not in known_cameras:
            known_cameras.append(name)
        ids.append(known_cameras.index(name))
    return np.array(ids, dtype=np.int64)[inverse]


def _half_cosines(
    features: np.ndarray, groups: np.ndarray, seconds: np.ndarray
) -> np.ndarray:
    """Return the cosine between the earlier and the later images of each track."""
    count = int(groups.max()) + 1
    sizes = np.bincount(groups, minlength=count)
    order = np.lexsort((seconds, groups))
    starts = np.searchsorted(groups[order], np.arange(count))
    place = np.empty(len(groups), dtype=np.int64)
    place[order] = np.arange(len(groups)) - np.repeat(starts, sizes)
    cosines = np.full(count, np.nan, dtype=np.float32)
    halved = np.flatnonzero(sizes >= _LEAST_HALVED)
    if not len(halved):
        return cosines
    rows = np.flatnonzero(sizes[groups] >= _LEAST_HALVED)
    later = place[rows] >= sizes[groups[rows]] // 2
    half = np.searchsorted(halved, groups[rows]) * 2 + later
    pooled = pool_tracks(features[rows], half)
    cosines[halved] = np.einsum('td,td->t', pooled[::2], pooled[1::2])
    return cosines
