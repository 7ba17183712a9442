"""Tracks as arrays: the images of each track, and the time in which it was seen."""

from typing import Any

import numpy as np

from .input_checks import as_integers, to_numpy


def number_tracks(tracks: Any, cam_ids: Any) -> np.ndarray:
    """Number the tracks of all cameras together.

    Args:
        tracks (array): (N,) integers, the track of each image within its camera;
            negative: none.
        cam_ids (array): (N,) integers, its camera.

    Returns:
        np.ndarray: (N,) int64, 0…T−1: the same for images of the same track and camera.
        An image without a track has a number of its own. Without any track they are
        0…N−1; otherwise tracks come first, by camera and number.

    Raises:
        TypeError: If they are not integers.
        ValueError: If there is not one camera for each track.

    Example:
        >>> number_tracks([5, 5, -1, 5], [1, 1, 1, 2])
        array([0, 0, 2, 1])
    """
    tracks, cam_ids = as_integers(tracks, 'tracks'), as_integers(cam_ids, 'cam_ids')
    if len(tracks) != len(cam_ids):
        raise ValueError(f'{len(tracks)} tracks do not fit {len(cam_ids)} cameras.')
    result = np.empty(len(tracks), dtype=np.int64)
    tracked = tracks >= 0
    pairs = np.stack([cam_ids[tracked], tracks[tracked]], axis=1)
    known, result[tracked] = np.unique(pairs, axis=0, return_inverse=True)
    result[~tracked] = len(known) + np.arange((~tracked).sum())
    return result


def track_intervals(groups: np.ndarray, times: Any) -> np.ndarray:
    """Return the time in which each track was seen.

    Args:
        groups (np.ndarray): (N,) integers 0…T−1, the track of each image.
        times (array): (N,) seconds, in any order; NaN where unknown.

    Returns:
        np.ndarray: (T, 2) float64, the first and the last time of each; NaN if none of
        its times is known.

    Raises:
        ValueError: If there is not one time for each image.

    Example:
        >>> track_intervals(np.array([0, 0, 1]), [2.0, 1.0, np.nan])
        array([[ 1.,  2.],
               [nan, nan]])
    """
    times = to_numpy(times).astype(np.float64)
    if times.shape != groups.shape:
        raise ValueError(f'{len(times)} times do not fit {len(groups)} images.')
    known = np.isfinite(times)
    count = int(groups.max()) + 1
    intervals = np.full((count, 2), (np.inf, -np.inf))
    np.minimum.at(intervals[:, 0], groups[known], times[known])
    np.maximum.at(intervals[:, 1], groups[known], times[known])
    return np.where(np.isfinite(intervals), intervals, np.nan)
