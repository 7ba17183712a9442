"""A metric of the clusters of a network, without identities."""

from typing import Any, ClassVar

from torch import Tensor

from mmreid_cc.clustering import (
    CLUSTERERS,
    arguments_taken,
    cluster_statistics,
    estimated_people,
    label_silhouette,
)
from mmreid_cc.registry import METRICS

from .feature_metric import FeatureMetric


@METRICS.register_module()
class ClusterMetric(FeatureMetric):
    """Cluster images, and judge their clusters without identities.

    This metric is for runs without a test set: a validation uses unlabelled images,
    usually those of the training. It reports ``cluster/silhouette``, see
    :func:`mmreid_cc.clustering.label_silhouette`, ``cluster/people``, their estimated
    number, ``cluster/clusters``, and ``cluster/unclustered``, a share.
    ``ClusterMemoryHook`` logs the same for the weights at the beginning of an epoch;
    this metric sees weights before they are saved, including those of the last epoch.

    Each data sample holds ``feature``, Tensor (D,), from the head; ``cam_id`` (int) and
    ``sample_idx`` (int, 0…N − 1), from the data set.

    Args:
        clusterer (dict | None): Config of the algorithm, from the registry
            ``CLUSTERERS``; it gets the cameras if it takes them. Defaults to None:
            ``dict(type='AutoDBSCAN')``.
        prefix (str | None): Defaults to None, which means ``'cluster'``.

    Raises:
        ValueError: In ``process``, if a data sample lacks a field; in ``evaluate``, and
            then in every process, if samples are missing.

    Examples:
        The best checkpoint by clusters alone, and an end when they get no better:

        .. code:: python

            val_cfg = dict()
            val_dataloader = {{_base_.test_dataloader}}
            val_dataloader.update(dataset=dict(split='train'))
            val_evaluator = dict(type='ClusterMetric')
            default_hooks = dict(
                checkpoint=dict(save_best='cluster/silhouette'),
                early_stopping=dict(
                    type='EarlyStoppingHook', monitor='cluster/silhouette',
                    rule='greater', patience=5))
    """

    default_prefix: str = 'cluster'
    FIELDS: ClassVar[tuple[str, ...]] = ('sample_idx', 'cam_id')

    def __init__(
        self, clusterer: dict[str, Any] | None = None, prefix: str | None = None
    ) -> None:
        super().__init__(prefix=prefix)
        self.clusterer = CLUSTERERS.build(clusterer or dict(type='AutoDBSCAN'))

    def compute_metrics(self, results: list[Tensor]) -> dict[str, float]:
        """Cluster and judge.

        Args:
            results (list[Tensor]): The features (N, D) float32, and (N, 2) int64, index
                and camera.

        Returns:
            dict[str, float]: The metrics, without prefix.
        """
        features, cam_ids = results[0].numpy(), results[1][:, 1].numpy()
        cameras = arguments_taken(self.clusterer, cam_ids=cam_ids)
        labels = self.clusterer.fit_predict(features, **cameras)
        statistics = cluster_statistics(labels)
        return {
            'silhouette': label_silhouette(features, labels),
            'people': float(estimated_people(labels)[0]),
            **{name: statistics[name] for name in ('clusters', 'unclustered')},
        }
