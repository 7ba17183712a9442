"""The metric of re-identification for the Runner: mAP, mINP, CMC and TPR at an FPR."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from torch import Tensor

from mmreid_cc.registry import METRICS

from ..functional import ReRankedDistance, ranking_metrics, roc_curve
from ..functional.camera_pairs import camera_pair_metrics
from ..functional.protocol import JUNK_PID
from ..functional.ranking import checked_topk
from .feature_metric import FeatureMetric

_RE_RANKING = ('k1', 'k2', 'lambda_value')


@METRICS.register_module()
class ReIDMetric(FeatureMetric):
    """Rank the gallery for each query; report mAP, mINP and CMC **in percent**.

    Query and gallery are one data set, distinguished by ``is_query``. The protocol and
    the definitions are those of :func:`mmreid_cc.evaluation.ranking_metrics`; that
    function returns fractions, and this class reports percent, like mmpretrain's
    ``Accuracy``.

    Each data sample holds

    - ``feature``, Tensor (D,), from the head;
    - ``pid`` (int), ``cam_id`` (int), ``is_query`` (bool) and ``sample_idx`` (int,
      0…N − 1), from the data set, through ``PackInputs(meta_keys=...)``.

    Results have a prefix: ``reid/mAP``, ``reid/mINP``, ``reid/CMC@1``.

    Args:
        topk (Sequence[int]): The k of each ``CMC@k``. Defaults to (1, 5, 10).
        rerank (bool | dict): Whether to also rank by the re-ranked distance of
            :func:`mmreid_cc.evaluation.re_ranking`, without a matrix of its size. Its
            results are added to the plain ones, as ``mAP_rerank``, ``mINP_rerank``,
            ``CMC@1_rerank``. A dict sets any of ``k1``, ``k2`` and ``lambda_value``.
            Defaults to False.
        exclude_same_camera (bool): Whether to leave out gallery images of the query's
            identity and camera. False is for data without cameras. Defaults to True.
        per_camera_pair (bool): Whether to add ``mAP_c1_c2`` and ``CMC@1_c1_c2``, the
            queries of camera 1 in the gallery of camera 2, for each ordered pair of
            cameras with a match. By the plain distance. Defaults to False.
        tpr_at_fpr (Sequence[float]): False positive rates, each in (0, 1), for which to
            add ``TPR@FPR=0.001``, the share of the pairs of one identity that are found
            then, as by :func:`mmreid_cc.evaluation.roc_curve`. By the plain distance.
            Defaults to (), none.
        prefix (str | None): Defaults to None, which means ``'reid'``.

    Raises:
        ValueError: If ``topk``, ``rerank`` or ``tpr_at_fpr`` is anything else; in
            ``process``, if a data sample lacks a field; in ``evaluate``, and then in
            every process, if samples are missing, if there is no query or no gallery,
            or no query has a match.

    Examples:
        In a config:

        .. code:: python

            val_evaluator = dict(type='ReIDMetric', topk=(1, 5, 10))
            test_evaluator = dict(
                type='ReIDMetric', rerank=True, tpr_at_fpr=(1e-3, 1e-4))

        In code:

        >>> import torch
        >>> from mmengine.evaluator import Evaluator
        >>> from mmpretrain.structures import DataSample
        >>> from mmreid_cc.evaluation.metrics import ReIDMetric
        >>> samples = [
        ...     DataSample(
        ...         feature=torch.eye(2)[i % 2], pid=i % 2, cam_id=i // 2,
        ...         is_query=i < 2, sample_idx=i)
        ...     for i in range(4)
        ... ]
        >>> evaluator = Evaluator(ReIDMetric(topk=(1,)))
        >>> evaluator.process(samples)
        >>> evaluator.evaluate(4)
        {'reid/mAP': 100.0, 'reid/mINP': 100.0, 'reid/CMC@1': 100.0}
    """

    default_prefix: str = 'reid'
    FIELDS: ClassVar[tuple[str, ...]] = ('sample_idx', 'pid', 'cam_id', 'is_query')

    def __init__(
        self,
        topk: Sequence[int] = (1, 5, 10),
        rerank: bool | dict = False,
        exclude_same_camera: bool = True,
        per_camera_pair: bool = False,
        tpr_at_fpr: Sequence[float] = (),
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self.topk = checked_topk(topk)
        if not isinstance(rerank, (bool, dict)) or (
            isinstance(rerank, dict) and set(rerank) - set(_RE_RANKING)
        ):
            raise ValueError(
                f'rerank must be True, False or a dict with any of {_RE_RANKING}, got '
                f'{rerank!r}.'
            )
        if not isinstance(tpr_at_fpr, Sequence) or not all(
            isinstance(fpr, float) and 0 < fpr < 1 for fpr in tpr_at_fpr
        ):
            raise ValueError(
                'tpr_at_fpr must be a sequence of numbers between 0 and 1, such as '
                f'(1e-3, 1e-4), got {tpr_at_fpr!r}.'
            )
        self.rerank = rerank
        self.exclude_same_camera = exclude_same_camera
        self.per_camera_pair = per_camera_pair
        self.tpr_at_fpr = tuple(tpr_at_fpr)

    def compute_metrics(self, results: list[Tensor]) -> dict[str, float]:
        """Compute the metrics of the whole data set.

        Args:
            results (list[Tensor]): The features (N, D) float32, and (N, 4) int64 that
                hold index, identity, camera and 1 for a query.

        Returns:
            dict[str, float]: The metrics in percent, without prefix.
        """
        features = results[0].numpy()
        _, pids, cams, is_query = results[1].numpy().T
        query = is_query == 1
        # Junk must not be a neighbour either, so re-ranking must not see it.
        gallery = ~query & (pids != JUNK_PID)
        if not query.any() or not gallery.any():
            raise ValueError(
                f'{query.sum()} queries and {gallery.sum()} gallery images among '
                f'{len(pids)} samples. Both must be in the one data set that is '
                'evaluated, told apart by its field `is_query`.'
            )
        data = [
            part[mask] for part in (features, pids, cams) for mask in (query, gallery)
        ]
        rank = partial(
            ranking_metrics,
            *data,
            topk=self.topk,
            exclude_same_camera=self.exclude_same_camera,
        )
        metrics = rank()
        if self.rerank is not False:
            arguments = {} if self.rerank is True else self.rerank
            reranked = rank(distance=ReRankedDistance(data[0], data[1], **arguments))
            metrics |= {f'{name}_rerank': value for name, value in reranked.items()}
        if self.per_camera_pair:
            metrics |= camera_pair_metrics(
                *data, exclude_same_camera=self.exclude_same_camera
            )
        if self.tpr_at_fpr:
            curve = roc_curve(*data, exclude_same_camera=self.exclude_same_camera)
            metrics |= {
                f'TPR@FPR={fpr:g}': curve.tpr_at(fpr) for fpr in self.tpr_at_fpr
            }
        return {name: 100 * value for name, value in metrics.items()}
