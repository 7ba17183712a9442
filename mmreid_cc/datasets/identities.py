"""Classes from identities."""

import numpy as np

from .crops import UNKNOWN


def identity_labels(pids: np.ndarray) -> np.ndarray:
    """Number the identities of a training set, in the order of their own numbers.

    Args:
        pids (np.ndarray): Identities, −1 where unknown; shape (N,), int.

    Returns:
        np.ndarray: Shape (N,), int64: 0…C − 1, and −1 where unknown.

    Raises:
        ValueError: If none is known.

    Example:
        >>> identity_labels(np.array([7, -1, 2, 7]))
        array([ 1, -1,  0,  1])
    """
    known = pids != UNKNOWN
    if not known.any():
        raise ValueError(
            f'None of {len(pids)} training images shows a known identity, and this '
            'training needs them. Use a data set whose file names or CSV file contain '
            'identities, or train without labels (configs/cc_*.py).'
        )
    labels = np.full(len(pids), UNKNOWN, dtype=np.int64)
    labels[known] = np.unique(pids[known], return_inverse=True)[1]
    return labels
