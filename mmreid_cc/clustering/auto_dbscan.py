"""DBSCAN whose settings are found from the features, without labels."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .base import CLUSTERERS
from .camera_normalization import as_cameras
from .consensus import consensus
from .dbscan import DBSCAN, dbscan
from .jaccard import distinct_jaccard_distance
from .judging import judge_by_halves, means_and_errors
from .knn import knn
from .neighbor_clusterer import NeighborClusterer
from .parallel import map_on_threads
from .setting_chooser import SettingChooser, estimated_people
from .setting_grid import Settings, default_grid, smoothed
from .silhouette import (
    MOST_JUDGED,
    centered,
    centroid_silhouette,
    whitened_sample,
)

_SETTINGS = ('eps', 'min_samples', 'k1', 'k2')
# Measured, see clustering.md.
_OWN_WEIGHT = 1 / 3  # of the clusters of all dimensions, in scores and votes
# The share of the votes with which images are together, measured, see clustering.md:
# that of large clusters, and what is added for a cluster of one image.
_SHARE, _SHARE_OF_ONE = 0.2, 0.4


@CLUSTERERS.register_module()
class AutoDBSCAN(SettingChooser, NeighborClusterer):
    """DBSCAN on the Jaccard distance, with settings found from the features.

    The paper's settings suit tens of images of each person. Here nothing is assumed:
    the dimensions are split at random into two halves, images are clustered by one half
    with every candidate, and :func:`mmreid_cc.clustering.cross_silhouette` judges the
    clusters by the other half, whitened. The scores are averaged over several splits,
    the score of the clusters by all dimensions is added with a smaller weight, and the
    result is smoothed along ``eps``. The best setting and those that are nearly as good
    then vote, in each split with their clusterings by both halves and by all
    dimensions: images are together if enough of the votes put them together
    (:func:`mmreid_cc.clustering.consensus`). The smaller the clusters of the best
    setting, the larger is the share that is enough (:func:`share_needed`).

    Neighbours are searched once for each half and once for all dimensions, and the
    Jaccard distance is computed once for each (k1, k2). Stages: ``neighbours``,
    ``choice``, ``vote``.

    Args:
        candidates (Sequence[dict] | None): Settings to choose from, each with ``eps``,
            ``min_samples``, ``k1`` and ``k2``. Defaults to None: a grid that follows
            from the number of images.
        seed (int): Seed of the splits. Defaults to 0.

    Attributes:
        chosen (dict | None): The best setting of the last call; None before it, and
            where it found no people.
        candidates (list[tuple[dict, float]]): All settings and their scores in the last
            call, best first.
        people (tuple[int, int, int] | None): Estimated number of people in the last
            call, and a range of it: see :func:`estimated_people`.

    Raises:
        ValueError: If a candidate is no setting of :class:`DBSCAN`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> people = np.repeat(rng.normal(size=(20, 32)), 5, axis=0)
        >>> features = people + 0.5 * rng.normal(size=people.shape)
        >>> features /= np.linalg.norm(features, axis=1, keepdims=True)
        >>> clusterer = CLUSTERERS.build(dict(type='AutoDBSCAN'))
        >>> int(clusterer.fit_predict(features).max()) + 1
        20
        >>> sorted(clusterer.chosen)
        ['eps', 'k1', 'k2', 'min_samples']
    """

    ROLE_OF_OTHERS = 'nearly as good, and vote on the clusters with it'

    def __init__(
        self, candidates: Sequence[Settings] | None = None, seed: int = 0
    ) -> None:
        if candidates is not None:
            candidates = [checked(settings) for settings in candidates]
            if not candidates:
                raise ValueError('candidates must hold a setting at least, or be None.')
        longest = 30 if candidates is None else max(s['k1'] for s in candidates)
        super().__init__(longest)
        self.given, self.seed = candidates, seed
        self.forget_choice()

    def __repr__(self) -> str:
        """Show the call that makes it, and what it has chosen."""
        return 'AutoDBSCAN()' if self.chosen is None else f'AutoDBSCAN → {self.chosen}'

    def fit_predict(
        self,
        features: Any,
        neighbors: tuple[Any, Any] | None = None,
        cam_ids: Any = None,
    ) -> np.ndarray:
        """Cluster features.

        Args:
            features (array): (N, D) floating, N ≥ 1, rows L2-normalised.
            neighbors (tuple[array, array] | None): See
                :meth:`NeighborClusterer.fit_predict`. Defaults to None.
            cam_ids (array | None): (N,) integers, the camera of each image. They do not
                change the result: :class:`AutoAgglomerative` looks across cameras.
                Defaults to None.

        Returns:
            np.ndarray: (N,) int64: −1 is un-clustered, else 0…C−1, each of them in use.

        Raises:
            TypeError: If the features are not floating-point numbers, or cameras not
                integers.
            ValueError: If the features are not 2-D, finite and normalised, the
                neighbours are no such lists, or there is not one camera for each image.
        """
        if cam_ids is not None:
            as_cameras(cam_ids, len(features))
        return super().fit_predict(features, neighbors)

    def cluster_neighbors(
        self, features: np.ndarray, neighbors: np.ndarray, similarities: np.ndarray
    ) -> np.ndarray:
        """Cluster, see :meth:`NeighborClusterer.cluster_neighbors`."""
        n_rows = len(features)
        self.forget_choice()
        if not centered(features).any():  # nobody can tell these images apart
            return np.full(n_rows, -1 if n_rows == 1 else 0, dtype=np.int64)
        settings = self.given or default_grid(n_rows)
        with self.stage('choice'):
            crossed, errors, halves = score_settings(features, settings, self.seed)
            own, whole = score_whole(features, neighbors, settings, self.seed)
        scores = ((1 - _OWN_WEIGHT) * crossed + _OWN_WEIGHT * own).round(5)
        voters = self.choose(settings, scores, crossed, errors, n_rows)
        if not len(voters):
            return np.full(n_rows, -1, dtype=np.int64)
        with self.stage('vote'):
            votes = [*whole[voters], *halves[:, voters].reshape(-1, n_rows)]
            # Once in each split by all dimensions, a third as in the scores.
            weights = [len(halves) // 2] * len(voters)
            weights += [1] * (len(votes) - len(voters))
            labels = consensus(votes, share_needed(whole[voters[0]]), weights)
        self.people = estimated_people(labels)
        return labels


def share_needed(labels: np.ndarray) -> float:
    """Return the share of the votes with which images are together.

    A wrong image is half of a cluster of two, and little of a large one. So the share
    falls with the mean size S of the clusters of the best setting: 0.2 + 0.4 / S.

    Args:
        labels (np.ndarray): (N,) clusters 0…C−1 of the best setting; −1 is
            un-clustered.

    Returns:
        float: The share, 0.2 to 0.6.

    Example:
        >>> share_needed(np.array([0, 0, 1, 1, -1]))
        0.4
    """
    clusters, clustered = labels.max() + 1, np.count_nonzero(labels >= 0)
    return float(_SHARE + _SHARE_OF_ONE * clusters / max(clustered, 1))


def checked(settings: Settings) -> Settings:
    """Check a candidate.

    Raises:
        ValueError: If it is no setting of :class:`DBSCAN`.

    Example:
        >>> checked(dict(eps=0.6, min_samples=4, k1=30, k2=6))['k1']
        30
    """
    if sorted(settings) != sorted(_SETTINGS):
        raise ValueError(
            f'A candidate of AutoDBSCAN must set {", ".join(_SETTINGS)} and nothing '
            f'else, got {settings!r}.'
        )
    DBSCAN(**settings)
    return dict(settings)


def score_settings(
    features: np.ndarray, settings: Sequence[Settings], seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Judge settings by halves of the dimensions.

    Args:
        features (np.ndarray): (N, D) float32, L2-normalised.
        settings (Sequence[dict]): S of them.
        seed (int): Seed of the splits.

    Returns:
        tuple[np.ndarray, np.ndarray, np.ndarray]: Scores (S,), smoothed along ``eps``,
        the standard errors (S,) of the mean over images, and (H, S, N) int32, the
        labels by each half.

    Example:
        >>> score_settings(features, default_grid(len(features)), seed=0)[0].argmax()
        24
    """
    longest = max(s['k1'] for s in settings)

    def cluster(half: np.ndarray, then: Any) -> Iterator[tuple[int, Any]]:
        neighbors = knn(half, longest)[0].astype(np.int32)
        return sweep(half, neighbors, settings, then)

    silhouettes, labels = judge_by_halves(features, len(settings), seed, cluster)
    means, errors = means_and_errors(silhouettes)
    return smoothed(settings, means), errors, labels


def score_whole(
    features: np.ndarray, neighbors: np.ndarray, settings: Sequence[Settings], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Judge the clusters of all dimensions, by the same dimensions whitened.

    Args:
        features (np.ndarray): (N, D) float32, L2-normalised.
        neighbors (np.ndarray): (N, K) int32, for the largest ``k1`` at least.
        settings (Sequence[dict]): S of them.
        seed (int): Seed of the sample of images that are judged.

    Returns:
        tuple[np.ndarray, np.ndarray]: Scores (S,), smoothed along ``eps``, and the
        labels (S, N) int32.

    Example:
        >>> scores, labels = score_whole(features, neighbors, settings, seed=0)
        >>> scores.shape, labels.shape
        ((108,), (108, 3858))
    """
    n_rows = len(features)
    rows = np.random.default_rng([seed, n_rows]).permutation(n_rows)[:MOST_JUDGED]
    judge = whitened_sample(features, seed)

    labels = np.empty((len(settings), n_rows), dtype=np.int32)

    def judged(found: tuple[int, np.ndarray]) -> tuple[int, float]:
        labels[found[0]] = found[1]
        return found[0], float(centroid_silhouette(judge, found[1], rows).mean())

    means = dict(sweep(features, neighbors, settings, judged))
    scores = np.array([means[i] for i in range(len(settings))])
    return smoothed(settings, scores), labels


def sweep(
    features: np.ndarray,
    neighbors: np.ndarray,
    settings: Sequence[Settings],
    then: Any = lambda found: found,
) -> Iterator[tuple[int, Any]]:
    """Cluster with many settings, each Jaccard distance computed once.

    Args:
        features (np.ndarray): (N, D) float32, L2-normalised.
        neighbors (np.ndarray): (N, K) int32, for the largest ``k1`` at least.
        settings (Sequence[dict]): S of them.
        then (Callable): What is done with an index and its labels, on several threads.
            Defaults to nothing.

    Yields:
        tuple: The index and the labels of a setting, or what ``then`` returns for them.

    Example:
        >>> dict(sweep(features, neighbors, [dict(eps=0.6, min_samples=4, k1=9, k2=2)]))
        {0: array([0, 0, 1, ...])}
    """
    sizes = sorted({(s['k1'], s['k2']) for s in settings})
    for k1, k2 in sizes:
        group = [i for i, s in enumerate(settings) if (s['k1'], s['k2']) == (k1, k2)]
        distance, copies = distinct_jaccard_distance(
            features,
            k1,
            k2,
            neighbors=first_neighbors(neighbors, k1),
            max_distance=max(settings[i]['eps'] for i in group),
        )

        def cluster(i: int, distance: Any = distance, copies: Any = copies) -> Any:
            eps, least = settings[i]['eps'], settings[i]['min_samples']
            labels = dbscan(distance, least, eps, np.bincount(copies))
            return then((i, labels[copies]))

        yield from map_on_threads(cluster, group)


def first_neighbors(neighbors: np.ndarray, k: int) -> np.ndarray:
    """Shorten lists of neighbours to those that a search for fewer would return.

    Args:
        neighbors (np.ndarray): (N, K) integers, as :func:`mmreid_cc.clustering.knn`
            returns them.
        k (int): From 1 on.

    Returns:
        np.ndarray: (N, min(k, K)). An image with k exact copies before it, which is not
        among the first k, stands in the place of the last of them.

    Example:
        >>> first_neighbors(np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2]]), 2)
        array([[0, 1],
               [0, 1],
               [0, 2]])
    """
    short = neighbors[:, :k].copy()
    rows = np.arange(len(short), dtype=short.dtype)
    missing = (short != rows[:, None]).all(axis=1)
    short[missing, -1] = rows[missing]
    return short
