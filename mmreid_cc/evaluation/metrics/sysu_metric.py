"""The protocol of SYSU-MM01."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from mmreid_cc.registry import METRICS

from ..functional import ranking_metrics
from .reid_metric import ReIDMetric

CAMERAS = {'query': (3, 6), 'gallery': (1, 2, 4, 5)}
SAME_PLACE = {3: 2}  # an infrared camera, and the visible one beside it


@METRICS.register_module()
class SYSUMetric(ReIDMetric):
    """Infrared queries in galleries of few visible images, as on SYSU-MM01.

    A gallery has ``shots`` images of each identity and camera, drawn at random; the
    results are means over ``trials`` galleries. Camera 3 is in the place of camera 2,
    so for queries of camera 3 the images of their identity in camera 2 are left out.
    ``CMC@k`` counts identities: images of one that is ranked before are passed over;
    mAP and mINP are of images.

    Args:
        shots (int): 1 for the single-shot, 10 for the multi-shot setting. Defaults to
            1.
        trials (int): Galleries, which the numbers 0…``trials`` − 1 are the seeds of.
            Defaults to 10.
        topk (Sequence[int]): The k of each ``CMC@k``. Defaults to (1, 10, 20).
        prefix (str | None): Defaults to None, which means ``'reid'``.

    Raises:
        ValueError: If an argument is not positive, or a query is of no infrared camera
            (3, 6) or a gallery image of no visible one (1, 2, 4, 5); and as
            :class:`ReIDMetric`.

    References:
        Wu et al., *RGB-Infrared Cross-Modality Person Re-Identification* (ICCV 2017).
        Its authors drew the ten galleries once and for all; ours are others.

    Examples:
        .. code:: python

            val_dataloader = dict(dataset=dict(type='SYSUMM01', search='all', ...))
            val_evaluator = dict(type='SYSUMetric', shots=1)
    """

    def __init__(
        self,
        shots: int = 1,
        trials: int = 10,
        topk: Sequence[int] = (1, 10, 20),
        prefix: str | None = None,
    ) -> None:
        super().__init__(topk, prefix=prefix)
        if min(shots, trials) < 1:
            raise ValueError(
                f'SYSUMetric: shots and trials must be positive, got {shots} and '
                f'{trials}'
            )
        self.shots, self.trials = shots, trials

    def compute_metrics(self, results: list[Tensor]) -> dict[str, float]:
        """Compute the metrics of all trials.

        Args:
            results (list[Tensor]): As :class:`ReIDMetric`.

        Returns:
            dict[str, float]: Their means in percent, without prefix.
        """
        features = results[0].numpy()
        _, pids, cams, is_query = results[1].numpy().T
        query = np.flatnonzero(is_query == 1)
        gallery = np.flatnonzero(is_query == 0)
        if not len(query) or not len(gallery):
            raise ValueError(
                f'{len(query)} queries and {len(gallery)} gallery images among '
                f'{len(pids)} samples: SYSUMetric needs both, e.g. of SYSUMM01.'
            )
        for part, rows_ in (('query', query), ('gallery', gallery)):
            strange = np.setdiff1d(cams[rows_], CAMERAS[part])
            if len(strange):
                raise ValueError(
                    f'SYSUMetric: {part} images must be of cameras {CAMERAS[part]}, '
                    f'but there are some of {strange.tolist()}. For other data than '
                    'SYSUMM01, set `val_evaluator` and `test_evaluator` to '
                    '`dict(type="ReIDMetric")`.'
                )
        places = cams.copy()
        for camera, place in SAME_PLACE.items():
            places[(cams == camera) & (is_query == 1)] = place
        rows = []
        for trial in range(self.trials):
            drawn = gallery[
                draw_gallery(pids[gallery], cams[gallery], self.shots, trial)
            ]
            data = [
                part[rows_]
                for part in (features, pids, places)
                for rows_ in (query, drawn)
            ]
            metrics = ranking_metrics(*data, topk=(1,))
            del metrics['CMC@1']
            rows.append({**metrics, **identity_cmc(*data, topk=self.topk)})
        return {
            name: 100 * float(np.mean([row[name] for row in rows])) for name in rows[0]
        }


def draw_gallery(
    pids: np.ndarray, cams: np.ndarray, shots: int, seed: int
) -> np.ndarray:
    """Draw images of each identity and camera.

    Args:
        pids (np.ndarray): Identities, shape (N,), int.
        cams (np.ndarray): Cameras, shape (N,), int.
        shots (int): Images of each pair; all, where there are fewer.
        seed (int): From 0 on.

    Returns:
        np.ndarray: Their indices in ascending order, int64.

    Example:
        >>> draw_gallery(np.array([1, 1, 2]), np.array([1, 1, 1]), shots=2, seed=0)
        array([0, 1, 2])
    """
    order = np.random.default_rng(seed).permutation(len(pids))
    _, pairs = np.unique(np.stack([pids, cams]), axis=1, return_inverse=True)
    pairs = pairs.reshape(-1)[order]
    by_pair = np.argsort(pairs, kind='stable')
    _, starts = np.unique(pairs[by_pair], return_index=True)
    places = np.arange(len(pids)) - np.repeat(starts, np.diff([*starts, len(pids)]))
    return np.sort(order[by_pair[places < shots]])


def identity_cmc(
    query_features: np.ndarray,
    gallery_features: np.ndarray,
    query_pids: np.ndarray,
    gallery_pids: np.ndarray,
    query_cams: np.ndarray,
    gallery_cams: np.ndarray,
    *,
    topk: Sequence[int],
) -> dict[str, float]:
    """Compute the CMC of identities, each ranked by its nearest image.

    Args:
        query_features (np.ndarray): L2-normalised, (Q, D).
        gallery_features (np.ndarray): L2-normalised, (G, D).
        query_pids (np.ndarray): (Q,) int.
        gallery_pids (np.ndarray): (G,) int.
        query_cams (np.ndarray): (Q,) int; images of the query's identity and camera are
            left out.
        gallery_cams (np.ndarray): (G,) int.
        topk (Sequence[int]): The k of each.

    Returns:
        dict[str, float]: ``CMC@k``, fractions of the queries that have a match.
    """
    similarities = query_features @ gallery_features.T
    same = query_pids[:, None] == gallery_pids
    similarities[same & (query_cams[:, None] == gallery_cams)] = -np.inf
    people = np.unique(gallery_pids)
    nearest = np.stack(
        [similarities[:, gallery_pids == pid].max(axis=1) for pid in people], axis=1
    )
    own = np.searchsorted(people, query_pids).clip(max=len(people) - 1)
    mine = nearest[np.arange(len(own)), own]
    matched = (people[own] == query_pids) & (mine > -np.inf)
    ranks = (nearest > mine[:, None]).sum(axis=1)[matched]
    return {f'CMC@{k}': float((ranks < k).mean()) for k in topk}
