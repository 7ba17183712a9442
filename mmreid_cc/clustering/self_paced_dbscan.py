"""DBSCAN that keeps only reliable clusters."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from .base import CLUSTERERS
from .dbscan import dbscan
from .input_checks import check_count
from .jaccard_clusterer import JaccardClusterer


@CLUSTERERS.register_module()
@dataclass(eq=False, repr=False)
class SelfPacedDBSCAN(JaccardClusterer):
    r"""DBSCAN that keeps only independent clusters, and of these the compact images.

    It clusters at three thresholds of the distance. With :math:`I(i)`,
    :math:`I_\mathrm{loose}(i)` and :math:`I_\mathrm{tight}(i)` the clusters of an image
    i at ``eps``, ``eps + eps_gap`` and ``eps - eps_gap`` (an un-clustered image is one
    by itself), its independence and compactness are

    .. math::

        R_\mathrm{indep}(i) = \frac{|I(i) \cap I_\mathrm{loose}(i)|}
        {|I(i) \cup I_\mathrm{loose}(i)|}, \quad
        R_\mathrm{comp}(i) = \frac{|I(i) \cap I_\mathrm{tight}(i)|}
        {|I(i) \cup I_\mathrm{tight}(i)|}.

    A cluster stays if the largest independence in it is at least α, and of its images
    those whose compactness is the largest in it. All others are un-clustered. α is set
    by the first call, so that ``independent_share`` of the clusters reach it, and kept
    in ``state``. Stages: ``neighbours``, ``distance``, ``dbscan``.

    Args:
        eps (float): Largest distance of two neighbours. Defaults to 0.6.
        eps_gap (float): Distance of the other thresholds, which must lie in (0, 1).
            Defaults to 0.02.
        independent_share (float): Share of the clusters of the first call that stay, in
            [0, 1]. Defaults to 0.9.
        min_samples (int): Neighbours, itself included, that make an image a core
            point. Defaults to 4.
        k1 (int): Neighbours of the reciprocal sets. Defaults to 30.
        k2 (int): Rows averaged by query expansion, in 1…k1. Defaults to 6.
        knn (dict | None): How neighbours are searched, see :class:`NeighborClusterer`.
            Defaults to None.

    Raises:
        ValueError: If a parameter is out of its range.

    Source: Ge et al., Self-paced Contrastive Learning with Hybrid Memory (NeurIPS 2020,
    arXiv 2006.02713), its reliability criterion; α and the compact images are chosen
    as in its public code.

    Example:
        >>> clusterer = CLUSTERERS.build(dict(type='SelfPacedDBSCAN', k1=4, k2=2))
        >>> clusterer.fit_predict(np.repeat(np.eye(2), 4, axis=0))
        array([0, 0, 0, 0, 1, 1, 1, 1])
        >>> clusterer.state
        {'least_independence': 1.0}
    """

    eps: float = 0.6
    eps_gap: float = 0.02
    independent_share: float = 0.9
    min_samples: int = 4

    def __post_init__(self) -> None:
        """Check the parameters."""
        if not 0 < self.eps - self.eps_gap <= self.eps + self.eps_gap < 1:
            raise ValueError(
                f'eps ± eps_gap must lie in (0, 1), got {self.eps!r} ± {self.eps_gap!r}'
            )
        if not 0 <= self.independent_share <= 1:
            raise ValueError(
                f'independent_share must lie in [0, 1], got {self.independent_share!r}'
            )
        check_count('min_samples', self.min_samples)
        super().__post_init__()
        self.max_distance = self.eps + self.eps_gap

    def cluster_distance(self, distance: csr_array) -> np.ndarray:
        """Cluster, see :meth:`JaccardClusterer.cluster_distance`."""
        with self.stage('dbscan'):
            labels, tight, loose = (
                dbscan(distance, self.min_samples, eps)
                for eps in (self.eps, self.eps - self.eps_gap, self.eps + self.eps_gap)
            )
        clustered = labels >= 0
        if not clustered.any():
            return labels
        independence = largest_of(labels, overlap(labels, loose))
        compactness = overlap(labels, tight)
        if not self.state:
            ordered = np.sort(independence)[::-1]
            place = round(len(ordered) * self.independent_share)
            least = float(ordered[min(len(ordered) - 1, place)])
            self.state = {'least_independence': least}
        independent = independence[labels] >= self.state['least_independence']
        compact = compactness >= largest_of(labels, compactness)[labels]
        return np.where(clustered & independent & compact, labels, -1)


def overlap(labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Compute the IoU of the clusters of each image in two clusterings.

    Args:
        labels (np.ndarray): (N,) int64; −1 is a cluster of one image.
        others (np.ndarray): Other labels of the same images.

    Returns:
        np.ndarray: (N,) float64, in (0, 1].

    Example:
        >>> overlap(np.array([0, 0, -1]), np.array([0, 0, 0]))
        array([0.66666667, 0.66666667, 0.33333333])
    """
    first, second = (_numbered(each) for each in (labels, others))
    pairs = np.stack([first, second])
    _, of_pair, counts = np.unique(
        pairs, axis=1, return_inverse=True, return_counts=True
    )
    common = counts[of_pair.reshape(-1)]
    sizes = np.bincount(first)[first] + np.bincount(second)[second]
    return common / (sizes - common)


def largest_of(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the largest value in each cluster.

    Args:
        labels (np.ndarray): (N,) int64, −1 is un-clustered.
        values (np.ndarray): (N,) float64, not negative.

    Returns:
        np.ndarray: (C,) float64.
    """
    largest = np.zeros(labels.max() + 1)
    clustered = labels >= 0
    np.maximum.at(largest, labels[clustered], values[clustered])
    return largest


def _numbered(labels: np.ndarray) -> np.ndarray:
    """Give every un-clustered image a cluster of its own."""
    numbered = labels.copy()
    alone = labels < 0
    numbered[alone] = np.arange(alone.sum()) + labels.max() + 1
    return numbered
