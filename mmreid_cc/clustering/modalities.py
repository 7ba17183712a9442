"""Visible and infrared images: which is which, and which clusters are one person."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from .camera_normalization import as_cameras
from .input_checks import as_features, as_integers, to_numpy

_ROWS = 1024  # of similarities at a time


def infrared_images(cam_ids: Any, infrared_cameras: Sequence[int]) -> np.ndarray:
    """Tell infrared images from visible ones by their cameras.

    Args:
        cam_ids (array): Camera of each image, shape (N,), integers.
        infrared_cameras (Sequence[int]): The numbers of infrared cameras; all others,
            and unknown cameras, are visible ones.

    Returns:
        np.ndarray: Whether an image is infrared, shape (N,), bool.

    Raises:
        TypeError: If cameras are not integers.
        ValueError: If there is no image of one of both modalities.

    Example:
        >>> infrared_images([1, 2, 3, 6], infrared_cameras=(3, 6))
        array([False, False,  True,  True])
    """
    cameras = as_cameras(cam_ids, len(cam_ids))
    infrared = np.isin(cameras, infrared_cameras)
    there = dict(visible=(~infrared).any(), infrared=infrared.any())
    missing = [name for name, found in there.items() if not found]
    if missing:
        raise ValueError(
            f'There is no {" and no ".join(missing)} image: `infrared_cameras` are '
            f'{list(infrared_cameras)}, and the images are of cameras '
            f'{np.unique(cameras).tolist()}. Set `infrared_cameras` to the numbers of '
            'the infrared cameras of the data set, the same in clusterer, memory and '
            'sampler.'
        )
    return infrared


def match_by_count(
    visible: Any,
    visible_labels: Any,
    infrared: Any,
    infrared_labels: Any,
    threshold: float = 0.5,
) -> np.ndarray:
    """Match clusters by the number of similar images that they have.

    Of each visible and each infrared cluster the pairs of images are counted that are
    at least as similar as the threshold. The pair of clusters with the largest count is
    matched first, and so on; a cluster is matched once. Of equal counts the lower
    numbers come first.

    Args:
        visible (array): L2-normalised features, shape (N, D), floating.
        visible_labels (array): Their clusters, −1 for none; shape (N,), integers.
        infrared (array): The same of infrared images, shape (M, D).
        infrared_labels (array): Shape (M,).
        threshold (float): The least cosine similarity of a pair that counts. Defaults
            to 0.5.

    Returns:
        np.ndarray: Pairs of a visible and an infrared cluster, shape (P, 2), int64, in
        the order of their counts.

    References:
        Cross-modality memory aggregation of ADCA (Yang et al., ACM MM 2022).

    Example:
        >>> match_by_count(np.eye(2), [0, 1], np.eye(2)[::-1], [0, 1])
        array([[0, 1],
               [1, 0]])
    """
    rows, row_labels = _clustered(visible, visible_labels)
    columns, column_labels = _clustered(infrared, infrared_labels)
    shape = row_labels.max(initial=-1) + 1, column_labels.max(initial=-1) + 1
    counts = np.zeros(shape[0] * shape[1], dtype=np.int64)
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        row, column = np.nonzero(rows[part] @ columns.T >= threshold)
        pairs = row_labels[part][row] * shape[1] + column_labels[column]
        counts += np.bincount(pairs, minlength=len(counts))
    matched: list[tuple[int, int]] = []
    free = np.ones(shape[0], bool), np.ones(shape[1], bool)
    for pair in np.argsort(-counts, kind='stable')[: np.count_nonzero(counts)]:
        ours, theirs = divmod(int(pair), shape[1])
        if free[0][ours] and free[1][theirs]:
            free[0][ours] = free[1][theirs] = False
            matched.append((ours, theirs))
    return np.array(matched, dtype=np.int64).reshape(-1, 2)


def match_progressively(similarities: Any) -> tuple[np.ndarray, np.ndarray]:
    r"""Match every cluster of one modality with one of the other, at least total cost.

    The cost of a pair is :math:`1 / \exp(s)`. The smaller set is matched with as many
    of the larger one; those of the larger one that are left are matched in the same way
    with the smaller set again, until all have a match.

    Args:
        similarities (array): Similarities of V visible and I infrared centroids, shape
            (V, I), floating.

    Returns:
        tuple[np.ndarray, np.ndarray]: The infrared cluster of each visible one, shape
        (V,), and the visible cluster of each infrared one, shape (I,), int64; all −1
        where the other modality has no cluster. Of the larger set several share a
        match, of the smaller set each has the one of the first round.

    References:
        Progressive graph matching of PGM (Wu and Ye, CVPR 2023).

    Example:
        >>> match_progressively([[0.9, 0.8], [0.8, 0.1], [0.2, 0.6]])
        (array([1, 0, 1]), array([1, 0]))
    """
    cost = np.exp(-np.asarray(to_numpy(similarities), dtype=np.float64))
    if cost.shape[0] < cost.shape[1]:
        infrared, visible = match_progressively(np.asarray(to_numpy(similarities)).T)
        return visible, infrared
    matches = np.full(cost.shape[0], -1)
    backwards = np.full(cost.shape[1], -1)
    while cost.shape[1] and (matches < 0).any():
        left = np.flatnonzero(matches < 0)
        rows, columns = linear_sum_assignment(cost[left])
        matches[left[rows]] = columns
        if (backwards < 0).any():  # the first round matches all of the smaller set
            backwards[columns] = left[rows]
    return matches, backwards


def _clustered(features: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of the images that are in a cluster."""
    features, labels = as_features(features), as_integers(labels, 'labels')
    if len(labels) != len(features):
        raise ValueError(f'{len(labels)} labels do not fit {len(features)} features.')
    return features[labels >= 0], labels[labels >= 0]
