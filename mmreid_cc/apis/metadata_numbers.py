"""Numbers and names of cameras, tracks and people in the metadata of galleries."""

import numpy as np
from numpy.typing import ArrayLike


def camera_name(camera: object) -> str | None:
    """Return the name of a camera.

    Args:
        camera (int | float | str): Camera in the metadata.

    Returns:
        str | None: None if it is not known: negative, not a number, or an empty text.

    Example:
        >>> camera_name(3), camera_name(-1)
        ('3', None)
    """
    text = str(camera)
    return None if text in ('', 'nan') or text.startswith('-') else text


def camera_numbers(cameras: ArrayLike) -> np.ndarray | None:
    """Number the cameras of images.

    Args:
        cameras (array): (N,) numbers or texts.

    Returns:
        np.ndarray | None: (N,) int64, from 0; None if the camera of an image is not
        known.

    Example:
        >>> camera_numbers(['door', 'hall', 'door'])
        array([0, 1, 0])
    """
    columns = np.asarray(cameras)
    names, numbers = np.unique(columns, return_inverse=True)
    known = all(camera_name(name) is not None for name in names)
    return numbers if known else None


def known_numbers(names: ArrayLike) -> np.ndarray:
    """Number the tracks or identities of images.

    Args:
        names (array): (N,) numbers or texts; negative or empty if there is none.

    Returns:
        np.ndarray: (N,) int64, −1 for none; numbers do not change.

    Example:
        >>> known_numbers(['t7', '', 't9', 't7'])
        array([ 0, -1,  1,  0])
    """
    column = np.asarray(names)
    if np.issubdtype(column.dtype, np.integer):
        return column.astype(np.int64)
    none = np.array([camera_name(name) is None for name in column])
    numbers = np.full(len(column), -1, dtype=np.int64)
    numbers[~none] = np.unique(column[~none], return_inverse=True)[1]
    return numbers
