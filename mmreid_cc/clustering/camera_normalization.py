"""Remove from features what all images of a camera have in common."""

from typing import Any

import numpy as np

from .input_checks import as_features, as_integers


def normalize_cameras(
    features: Any, cam_ids: Any, *, standardize: bool = False
) -> np.ndarray:
    """Subtract each camera's mean from its features, and normalise them again.

    Light, colours and view of a camera shift all its features in one direction, so the
    nearest neighbour of an image usually comes from its own camera. If identities are
    spread evenly over the cameras, or nearly so, the mean of a camera contains only
    this shift.

    Args:
        features (array): (N, D) floating.
        cam_ids (array): (N,) integers, the camera of each image. Images of unknown
            camera, which share a number, count as those of one more camera.
        standardize (bool): Also divide by the camera's deviation in each dimension,
            where there is one. Defaults to False.

    Returns:
        np.ndarray: (N, D) float32, rows L2-normalised. An image that is alone in its
        camera has no direction left: a row of zeros.

    Raises:
        TypeError: If features are not floating or cameras not integers.
        ValueError: If features are not 2-D and finite, or there is not one camera for
            each of them.

    Example:
        >>> features = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6]])
        >>> normalize_cameras(features, [1, 1, 2, 2]).round(3)
        array([[ 0.447, -0.894],
               [-0.447,  0.894],
               [ 0.894,  0.447],
               [-0.894, -0.447]], dtype=float32)
    """
    features = as_features(features)
    cam_ids = as_cameras(cam_ids, len(features))
    result = np.empty_like(features)
    for camera in np.unique(cam_ids):
        own = cam_ids == camera
        rows = features[own].astype(np.float64)
        rows -= rows.mean(axis=0)
        # Differences by rounding between equal features do not count.
        rows[np.abs(rows) < np.finfo(np.float32).eps] = 0
        if standardize:
            deviation = rows.std(axis=0)
            rows /= np.where(deviation == 0, 1, deviation)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        result[own] = rows / np.where(norms == 0, 1, norms)
    return result


def as_cameras(cam_ids: Any, n_rows: int) -> np.ndarray:
    """Check the cameras of images.

    Args:
        cam_ids (array): (n_rows,) integers.
        n_rows (int): Number of images.

    Returns:
        np.ndarray: (n_rows,) int64.

    Raises:
        TypeError: If they are not integers.
        ValueError: If there is not one for each image.

    Example:
        >>> as_cameras([1, 2], n_rows=2)
        array([1, 2])
    """
    cam_ids = as_integers(cam_ids, 'cam_ids')
    if len(cam_ids) != n_rows:
        raise ValueError(f'{len(cam_ids)} cameras do not fit {n_rows} features.')
    return cam_ids
