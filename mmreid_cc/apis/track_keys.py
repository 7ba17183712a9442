"""Hashes of the contents of tracks, by which known tracks are recognised."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np


def content_key(content: bytes) -> int:
    """Compute a number from bytes.

    Args:
        content (bytes): Content of any length.

    Returns:
        int: A signed number of 64 bits. Equal bytes have equal numbers; different bytes
        hardly ever do.

    Example:
        >>> content_key(b'a') == content_key(b'a')
        True
    """
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return int.from_bytes(digest, 'little', signed=True)


def file_keys(paths: Sequence[str]) -> np.ndarray:
    """Compute numbers from the contents of files.

    Args:
        paths (Sequence[str]): Paths of N files.

    Returns:
        np.ndarray: (N,) int64, wherever the files are and whatever they are called.

    Raises:
        OSError: If one cannot be read.

    Example:
        >>> file_keys(['a.jpg', 'copy_of_a.jpg'])                   # doctest: +SKIP
        array([7254130871190322214, 7254130871190322214])
    """

    def key(path: str) -> int:
        return content_key(Path(path).read_bytes())

    with ThreadPoolExecutor() as pool:
        return np.fromiter(pool.map(key, paths), dtype=np.int64, count=len(paths))


def row_keys(features: np.ndarray) -> np.ndarray:
    """Compute numbers from embeddings.

    Args:
        features (np.ndarray): (N, D) float32, C-contiguous.

    Returns:
        np.ndarray: (N,) int64.
    """
    keys = (content_key(row.tobytes()) for row in features)
    return np.fromiter(keys, dtype=np.int64, count=len(features))


def track_keys(
    groups: np.ndarray, images: np.ndarray, times: np.ndarray, cameras: Sequence[str]
) -> np.ndarray:
    """Compute numbers from tracks, independent of the order of their images.

    Args:
        groups (np.ndarray): (N,) integers 0…T−1, the track of each image.
        images (np.ndarray): (N,) int64, key of each image.
        times (np.ndarray): (N,) float64, NaN if unknown.
        cameras (Sequence[str]): (T,) name of the camera of each track.

    Returns:
        np.ndarray: (T,) int64.

    Example:
        >>> nan = np.full(2, np.nan)
        >>> one, other = track_keys(np.array([0, 1]), np.array([5, 5]), nan, ['a', 'b'])
        >>> bool(one == other)
        False
    """
    order = np.lexsort((images, np.nan_to_num(times, nan=-1.0), groups))
    ends = np.searchsorted(groups[order], np.arange(len(cameras) + 1))
    keys = []
    for number, camera in enumerate(cameras):
        rows = order[ends[number] : ends[number + 1]]
        content = images[rows].tobytes() + times[rows].tobytes()
        keys.append(content_key(str(camera).encode() + b'\0' + content))
    return np.array(keys, dtype=np.int64)
