"""Before an epoch: features, pseudo labels, a fresh cluster memory."""

import logging
import time
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import broadcast, broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmreid_cc.clustering import CLUSTERERS, BaseClusterer, cluster_centroids
from mmreid_cc.clustering.quality import cluster_statistics, clustering_quality
from mmreid_cc.models import ClusterMemory
from mmreid_cc.registry import HOOKS

from ..extraction import broadcast_statistics, extract_features


@HOOKS.register_module()
class ClusterMemoryHook(Hook):
    """Create pseudo labels and a fresh cluster memory before an epoch.

    All processes extract the features of the training set with the current weights; the
    main process clusters them; memory and sampler of every process get the labels. Of
    each clustering the log and the visualizer get the number of clusters, the share of
    un-clustered images, the sizes of the clusters, the seconds of each stage, and,
    where identities are known, ARI, NMI and purity (under ``cluster/``; the step is the
    number of epochs trained so far).

    Args:
        clusterer (dict): Config of the algorithm, from the registry ``CLUSTERERS``.
        interval (int): Epochs between two clusterings; a resumed run clusters at once.
            Defaults to 1.
        dataloader (dict, optional): Config of the loader of the training images.
            Defaults to None: the test loader of the config (or else its loader for
            validation) on the training set, i.e. without augmentation.

    Raises:
        RuntimeError: If nothing was clustered; it says what to change.
        ValueError: If the training loop has no epochs, the sampler does not draw by
            label, its batches are not those of the loader, or features are not finite.

    Examples:
        In a config; under ``default_hooks``, so that an inheriting config or
        ``--cfg-options default_hooks.cluster_memory.clusterer.eps=0.5`` can change it:

        .. code:: python

            default_hooks = dict(cluster_memory=dict(
                type='ClusterMemoryHook',
                clusterer=dict(type='DBSCAN', eps=0.6, min_samples=4, k1=30, k2=6)))
    """

    # Before IterTimerHook, so that clustering is not booked as data_time.
    priority = 'ABOVE_NORMAL'

    def __init__(
        self, clusterer: dict, interval: int = 1, dataloader: dict | None = None
    ) -> None:
        if interval < 1:
            raise ValueError(
                f'ClusterMemoryHook: interval must be positive, not {interval}'
            )
        with DefaultScope.overwrite_default_scope('mmreid_cc'):
            self.clusterer = CLUSTERERS.build(clusterer)
        self.interval = interval
        self.dataloader_cfg = dataloader

    def before_train(self, runner: Runner) -> None:
        """Build the loader of the training images."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                'ClusterMemoryHook works before epochs: set `train_cfg.by_epoch=True`, '
                f'instead of {type(runner.train_loop).__name__}.'
            )
        check_sampler(runner.train_dataloader)
        cfg = self.dataloader_cfg or extraction_dataloader(runner.cfg)
        self.dataloader = runner.build_dataloader(cfg)

    def before_train_epoch(self, runner: Runner) -> None:
        """Extract, cluster, and give the labels to memory and sampler."""
        memory = memory_of(runner.model)
        if runner.epoch % self.interval and len(memory.centroids):
            return
        start = time.perf_counter()
        features = extract_features(runner.model, self.dataloader)
        extracted = time.perf_counter()
        labels = self.cluster(features)
        centroids = cluster_centroids(features, labels)
        device = next(runner.model.parameters()).device
        memory.reset(torch.from_numpy(centroids).to(device), labels)
        runner.train_dataloader.sampler.set_labels(labels.numpy())
        if is_main_process():
            seconds = {'extraction': extracted - start, **self.clusterer.stage_seconds}
            pids = self.dataloader.dataset.column('pid')
            report(runner, labels.numpy(), pids, seconds)

    def after_train_epoch(self, runner: Runner) -> None:
        """Validate and save the same batch norm statistics in all processes."""
        broadcast_statistics(unwrapped(runner.model))

    def cluster(self, features: Tensor) -> Tensor:
        """Labels of all images, computed by the main process for all.

        Args:
            features (Tensor): L2-normalised, shape (N, D).

        Returns:
            Tensor: Shape (N,), int64; −1 is un-clustered.
        """
        labels = torch.full((len(features),), -1)
        error: list[Exception | None] = [None]
        if is_main_process():
            # An error here must end the other processes, too, not let them wait.
            try:
                labels = torch.from_numpy(self.clusterer.fit_predict(features))
                check_labels(labels, features, self.clusterer)
            except Exception as caught:
                error = [caught]
        broadcast_object_list(error)
        if error[0] is not None:
            raise error[0]
        broadcast(labels)
        return labels


def extraction_dataloader(cfg: Config) -> dict:
    """The loader of the training images, derived from a Runner's config.

    Args:
        cfg (Config): With ``train_dataloader``, and ``test_dataloader`` or
            ``val_dataloader``, whose pipeline, batch size and workers are taken.

    Returns:
        dict: Config of a data loader.

    Raises:
        ValueError: If the config has no test loader to derive it from.
    """
    test = cfg.get('test_dataloader') or cfg.get('val_dataloader')
    if test is None:
        raise ValueError(
            'ClusterMemoryHook derives its pipeline from `test_dataloader` or '
            '`val_dataloader`, and the config has neither. Add one, or set '
            '`default_hooks.cluster_memory.dataloader`.'
        )
    dataset = dict(cfg.train_dataloader.dataset, pipeline=test.dataset.pipeline)
    sampler = dict(type='DefaultSampler', shuffle=False)
    return dict(test, dataset=dataset, sampler=sampler, persistent_workers=False)


def check_sampler(dataloader: DataLoader) -> None:
    """Check that the training loader draws by label, one batch for each iteration.

    Raises:
        ValueError: If it does not.
    """
    sampler: Any = dataloader.sampler
    if not hasattr(sampler, 'set_labels'):
        raise ValueError(
            f'ClusterMemoryHook needs a sampler that draws by pseudo label, not '
            f'{type(sampler).__name__}: set `train_dataloader.sampler` to '
            '`dict(type="RandomMultipleGallerySampler", ...)`.'
        )
    if dataloader.batch_size != sampler.batch_size:
        raise ValueError(
            f'`train_dataloader.batch_size` is {dataloader.batch_size}, but the '
            f'sampler draws {sampler.batch_size} images for each process and iteration '
            '(num_clusters × num_instances / processes). tools/train.py sets it; in '
            f'code of your own, set it to {sampler.batch_size}.'
        )


def check_labels(labels: Tensor, features: Tensor, clusterer: BaseClusterer) -> None:
    """Check that there is something to learn from labels.

    Raises:
        RuntimeError: If nothing was clustered; it says what to change.
    """
    num_clusters = int(labels.max()) + 1
    spread = 1 - features.mean(dim=0).norm().item()
    finding = (
        f'{clusterer!r} found {num_clusters} cluster(s) in {len(features)} images. '
        f'Their features have a spread of {spread:.4f} (0: all alike, the network has '
        'collapsed; near 1: nothing is similar to anything).'
    )
    if num_clusters == 0:
        raise RuntimeError(
            f'{finding} There is nothing to train on. For DBSCAN raise `eps` or lower '
            '`min_samples`; with few images of each person lower `k1`; for InfoMap '
            'lower `min_similarity` or `min_cluster_size`; or take better weights.'
        )
    if num_clusters == 1:
        print_log(
            f'{finding} With one cluster the loss is 0 and nothing is learned in this '
            'epoch. For DBSCAN lower `eps`; for InfoMap raise `min_similarity`.',
            logger='current',
            level=logging.WARNING,
        )


def memory_of(model: nn.Module) -> ClusterMemory:
    """The memory of a model, wrapped for distributed training or not."""
    return unwrapped(model).head.memory


def unwrapped(model: nn.Module) -> Any:
    """The model inside a wrapper for distributed training."""
    return model.module if is_model_wrapper(model) else model


def report(
    runner: Runner, labels: np.ndarray, pids: np.ndarray, seconds: dict[str, float]
) -> None:
    """Write what is to be known of a clustering to log and visualizer.

    Args:
        runner (Runner): Whose logger and visualizer are used.
        labels (np.ndarray): Cluster of each image, −1 for none; shape (N,).
        pids (np.ndarray): True identities, −1 where unknown; shape (N,).
        seconds (dict[str, float]): Duration of each stage.
    """
    scalars = {
        **cluster_statistics(labels),
        **clustering_quality(labels, pids),
        **{f'seconds_{stage}': spent for stage, spent in seconds.items()},
    }
    numbers = ', '.join(f'{name} {value:.4g}' for name, value in scalars.items())
    runner.logger.info(f'Clustering before epoch {runner.epoch + 1}: {numbers}')
    runner.visualizer.add_scalars(
        {f'cluster/{name}': value for name, value in scalars.items()}, step=runner.epoch
    )
