"""Statistics of pseudo labels, and their agreement with identities that are known."""

from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from .input_checks import as_integers


def cluster_statistics(labels: Any) -> dict[str, float]:
    """Count clusters, un-clustered images and images per cluster.

    Args:
        labels (array): (N,) integers; −1 is un-clustered.

    Returns:
        dict[str, float]: ``clusters``, their number; ``unclustered``, the share of
        images in [0, 1] (not with N = 0); and of the images per cluster ``size_min``,
        ``size_q25``, ``size_median``, ``size_q75`` and ``size_max`` (not without
        clusters).

    Raises:
        TypeError: If the labels are not integers.
        ValueError: If they are not 1-D.

    Example:
        >>> cluster_statistics([0, 0, 1, -1])['unclustered']
        0.25
    """
    labels = as_integers(labels, 'labels')
    sizes = np.unique(labels[labels >= 0], return_counts=True)[1]
    statistics = {'clusters': float(len(sizes))}
    if len(labels):
        statistics['unclustered'] = float((labels < 0).mean())
    if len(sizes):
        names = ('size_min', 'size_q25', 'size_median', 'size_q75', 'size_max')
        quantiles = np.quantile(sizes, (0, 0.25, 0.5, 0.75, 1))
        statistics.update(zip(names, quantiles.tolist(), strict=True))
    return statistics


def clustering_quality(labels: Any, identities: Any) -> dict[str, float]:
    """Compare pseudo labels with identities.

    Only images that are in a cluster and have a known identity count. Un-clustered
    images do not lower the values, so read them together with their share.

    Args:
        labels (array): (N,) integers; −1 is un-clustered.
        identities (array): (N,) integers; negative is unknown.

    Returns:
        dict[str, float]: ``ARI``, the adjusted Rand index in [−0.5, 1]; ``NMI``, the
        mutual information over the mean of both entropies, in [0, 1]; ``purity``, the
        share of images that have the most frequent identity of their cluster, in
        (0, 1]. Empty if no image counts.

    Raises:
        TypeError: If labels or identities are not integers.
        ValueError: If they are not 1-D and of equal length.

    Example:
        >>> clustering_quality([0, 0, 1, -1], [7, 7, 9, 9])
        {'ARI': 1.0, 'NMI': 1.0, 'purity': 1.0}
    """
    labels = as_integers(labels, 'labels')
    identities = as_integers(identities, 'identities')
    if len(labels) != len(identities):
        raise ValueError(
            f'{len(labels)} labels do not fit {len(identities)} identities.'
        )
    counted = (labels >= 0) & (identities >= 0)
    if not counted.any():
        return {}
    labels, identities = labels[counted], identities[counted]
    table = contingency_matrix(identities, labels, sparse=True)
    return {
        'ARI': float(adjusted_rand_score(identities, labels)),
        'NMI': float(normalized_mutual_info_score(identities, labels)),
        'purity': float(table.max(axis=0).sum() / len(labels)),
    }


def pair_f1(labels: Any, identities: Any, cam_ids: Any = None) -> float:
    """Compare pseudo labels with identities, pair by pair.

    An un-clustered image counts as a cluster of its own, so leaving images out lowers
    the recall.

    Args:
        labels (array): (N,) integers; −1 is un-clustered.
        identities (array): (N,) integers.
        cam_ids (array | None): (N,) integers: only pairs of two cameras count. Defaults
            to None, all pairs.

    Returns:
        float: In [0, 1], the harmonic mean of precision (of the pairs in one cluster,
        the share of one identity) and recall (of the pairs of one identity, the share
        in one cluster); 0 where there is neither kind of pair.

    Raises:
        TypeError: If an array does not hold integers.
        ValueError: If an array is not 1-D or of another length.

    Example:
        >>> pair_f1([0, 0, -1, 1, 1], [7, 7, 7, 8, 9])
        0.4
    """
    labels = as_integers(labels, 'labels').copy()
    identities = as_integers(identities, 'identities')
    alone = np.flatnonzero(labels < 0)
    labels[alone] = labels.max(initial=-1) + 1 + np.arange(len(alone))
    cameras = [] if cam_ids is None else [as_integers(cam_ids, 'cam_ids')]
    for other in (identities, *cameras):
        if len(labels) != len(other):
            raise ValueError(f'{len(labels)} labels do not fit {len(other)} images.')

    def pairs(*columns: np.ndarray) -> int:
        within = _pairs_of_equals(*columns)
        return within - _pairs_of_equals(*columns, *cameras) if cameras else within

    found = pairs(labels) + pairs(identities)
    return 2 * pairs(labels, identities) / found if found else 0.0


def _pairs_of_equals(*columns: np.ndarray) -> int:
    """Count the pairs of rows that agree in all columns."""
    sizes = np.unique(np.stack(columns), axis=1, return_counts=True)[1].astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())
