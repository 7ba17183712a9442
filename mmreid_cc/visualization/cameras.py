"""Whether cameras are known, so that they can be shown."""

import numpy as np


def has_cameras(cam_ids: np.ndarray) -> bool:
    """Return whether any camera is known; ReIDImageFolder has 0 for unknown.

    Args:
        cam_ids (np.ndarray): (N,) cameras.

    Returns:
        bool: Whether one is above 0.

    Example:
        >>> has_cameras(np.array([0, 0]))
        False
    """
    return bool((cam_ids > 0).any())
