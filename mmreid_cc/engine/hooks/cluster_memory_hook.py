"""The clustering before an epoch: features, pseudo labels, a fresh cluster memory."""

import hashlib
import time
from functools import cached_property

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.registry import DefaultScope
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import Tensor, nn

from mmreid_cc.clustering import CLUSTERERS
from mmreid_cc.datasets import ReIDDataset, read_labels, source_classes
from mmreid_cc.datasets.label_files import UNDECODABLE, relative_paths
from mmreid_cc.models import BaseMemory
from mmreid_cc.registry import HOOKS

from ..accumulation import accumulated_batches
from ..clustering_checks import check_same_vectors, check_sampler
from ..clustering_report import clustering_scores, draw_clustering, report_clustering
from ..extraction import extract_features, teacher_of, unwrapped
from ..pseudo_labels import (
    CAMERA_NORMALIZATIONS,
    check_labels,
    labels_of_main_process,
    pseudo_labels,
)


@HOOKS.register_module()
class ClusterMemoryHook(Hook):
    """Create pseudo labels and a fresh cluster memory before an epoch.

    All processes extract the features of the training set with the current weights, or
    with those of the teacher, where there is one (:class:`TeacherHook`); a memory that
    keeps a vector of every image (:class:`HybridMemory`) gives these instead. The main
    process clusters them; memory and sampler of every process get the labels. Images of
    a labelled source (:class:`AdaptationReID`) are classes by their identities. Of each
    clustering the log and the visualizer get the number of clusters, the share of
    un-clustered images, the sizes of the clusters, the bytes of the memory, the seconds
    of each stage, the silhouette and the estimated number of people, and, where
    identities are known, ARI, NMI and purity (under ``cluster/``; the step is the
    number of epochs trained so far).

    A checkpoint from within an epoch, or from between two clusterings, holds memory and
    labels, so that a resumed run equals the uninterrupted one.

    Args:
        clusterer (dict): Config of the algorithm, from the registry ``CLUSTERERS``.
        interval (int): Epochs between two clusterings. Defaults to 1.
        camera_normalization (str, optional): ``'mean'`` subtracts each camera's mean
            from the features that are clustered, ``'standardize'`` also divides by its
            deviation, see :func:`mmreid_cc.clustering.normalize_cameras`. The memory is
            filled with the unchanged features, because queries are compared with them.
            Defaults to None.
        initial_labels (str, optional): CSV file of labels to begin with, e.g. corrected
            by hand, see :func:`mmreid_cc.datasets.write_labels`. They take the place of
            the first clustering; an ``interval`` of all epochs keeps them. Defaults to
            None.
        draw_clusters (bool): Draw every clustering with the visualizer: a sheet of
            clusters, and a map of at most 2,000 images, which takes some seconds. They
            go into ``vis_data/vis_image``, and into TensorBoard where that is among the
            ``vis_backends``. Defaults to False.
        dataloader (dict, optional): Config of the loader of the training images.
            Defaults to None: the test loader of the config (or else its loader for
            validation) on the training set, i.e. without augmentation.
        debug (bool): Compare the memories of all processes after every iteration, which
            helps if you write a memory of your own. Defaults to False.

    Raises:
        RuntimeError: If all images are un-clustered. The error says what to change.
        ValueError: If the training loop has no epochs, the sampler does not draw by
            label, its batches are not those of the loader, features are not finite, or
            ``initial_labels`` has not one row for each image.

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
        self,
        clusterer: dict,
        interval: int = 1,
        camera_normalization: str | None = None,
        initial_labels: str | None = None,
        draw_clusters: bool = False,
        dataloader: dict | None = None,
        debug: bool = False,
    ) -> None:
        if interval < 1:
            raise ValueError(
                f'ClusterMemoryHook: interval must be positive, not {interval}'
            )
        with DefaultScope.overwrite_default_scope('mmreid_cc'):
            self.clusterer = CLUSTERERS.build(clusterer)
        if camera_normalization not in (None, *CAMERA_NORMALIZATIONS):
            raise ValueError(
                'ClusterMemoryHook: camera_normalization must be None or in '
                f'{CAMERA_NORMALIZATIONS}, not {camera_normalization!r}'
            )
        self.interval = interval
        self.camera_normalization = camera_normalization
        self.initial_labels = initial_labels
        self.draw_clusters = draw_clusters
        self.dataloader_cfg = dataloader
        self.debug = debug
        self.resumed: dict | None = None  # what a checkpoint held of an epoch
        self.first_iter: int | None = None  # of the epoch that is going on

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the memory of a checkpoint that was saved between two clusterings."""
        if runner._resume:
            self.resumed = checkpoint.get('cluster_memory')

    def before_train(self, runner: Runner) -> None:
        """Build the loader of the training images; continue an interrupted epoch."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                'ClusterMemoryHook works before epochs: set `train_cfg.by_epoch=True`, '
                f'instead of {type(runner.train_loop).__name__}.'
            )
        batches_per_step = accumulated_batches(runner)
        check_sampler(runner.train_dataloader, batches_per_step)
        sampler = runner.train_dataloader.sampler
        memory = memory_of(runner.model)
        memory.batches_per_update = batches_per_step
        cfg = self.dataloader_cfg or extraction_dataloader(runner.cfg)
        self.dataloader = runner.build_dataloader(cfg)
        dataset = self.dataloader.dataset
        if isinstance(dataset, ReIDDataset):
            dataset.share_images(runner.train_dataloader.dataset)
        self.source_classes = source_classes(dataset)
        memory.sources = torch.from_numpy(self.source_classes >= 0)
        if self.initial_labels is not None and memory.sources.any():
            raise ValueError(
                'ClusterMemoryHook: `initial_labels` cannot be combined with a '
                'labelled source in the training set. Remove one of the two.'
            )
        self.given_labels = self._read_labels() if runner.epoch == 0 else None
        sampler.seed = runner.seed  # of a resumed run: that of its checkpoint
        if self.resumed is not None:
            if self.resumed.get('images', self.images) != self.images:
                raise ValueError(
                    'The checkpoint holds labels of other images than those of the '
                    f'training set ({len(dataset)}): some have been added, removed or '
                    'renamed. Restore them, or begin a new run with its weights: '
                    '--cfg-options load_from=CHECKPOINT instead of --resume.'
                )
            device = next(runner.model.parameters()).device
            memory.restore({k: v.to(device) for k, v in self.resumed['memory'].items()})
            sampler.set_labels(memory.labels.numpy())
            sampler.skip(self.resumed['iteration'] // batches_per_step)
            self.clusterer.state = self.resumed.get('clusterer', {})

    def before_train_epoch(self, runner: Runner) -> None:
        """Extract features, cluster them, and pass the labels to memory and sampler."""
        seen = self.resumed['iteration'] if self.resumed else 0
        self.resumed = None
        self.first_iter = runner.iter - seen
        memory = memory_of(runner.model)
        tell_progress(runner, memory)
        if len(memory.centroids) and (seen or runner.epoch % self.interval):
            return
        start = time.perf_counter()
        features = memory.features if memory.LASTS else None
        if features is None:
            network = teacher_of(runner.model) or runner.model
            features = extract_features(network, self.dataloader)
        clustered = memory.clustered(features)
        extracted = time.perf_counter()
        cam_ids = torch.from_numpy(self.dataloader.dataset.column('cam_id'))
        if self.given_labels is not None and runner.epoch == 0:
            labels, seconds = self.given_labels, dict[str, float]()
            check_labels(labels, clustered, self.initial_labels)
        else:
            dataset = self.dataloader.dataset
            labels, seconds = pseudo_labels(
                clustered,
                self.clusterer,
                cam_ids,
                self.camera_normalization,
                dataset.column('track'),
                dataset.column('time'),
                self.source_classes,
                required=not memory.LEARNS_UNCLUSTERED,
            )
        # Of the unchanged features, because queries are computed from these, too.
        memory.fill(features, labels, cam_ids, next(runner.model.parameters()).device)
        runner.train_dataloader.sampler.set_labels(labels.numpy())
        if is_main_process():
            seconds = {'extraction': extracted - start, **seconds}
            judged = self.source_classes < 0 if memory.sources.any() else slice(None)
            pids = self.dataloader.dataset.column('pid')[judged]
            found = labels.numpy()[judged]
            scores = clustering_scores(clustered.numpy()[judged], found, pids)
            report_clustering(runner, scores, memory.nbytes, seconds)
            if self.draw_clusters:
                draw_clustering(runner, self.dataloader.dataset, clustered, labels)

    def _read_labels(self) -> Tensor | None:
        """Read the initial labels, before anything is computed."""
        if self.initial_labels is None:
            return None
        file, paths = self.initial_labels, self.dataloader.dataset.column('img_path')
        return labels_of_main_process(lambda: read_labels(file, paths), len(paths))

    @cached_property
    def images(self) -> str:
        """Return a hash of the names of the training images, in their order."""
        names = relative_paths(self.dataloader.dataset.column('img_path'))
        text = '\n'.join(names).encode(errors=UNDECODABLE)
        return hashlib.sha256(text).hexdigest()[:16]

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None
    ) -> None:
        """Tell the memory how far the training is."""
        tell_progress(runner, memory_of(runner.model))

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: dict | None = None,
    ) -> None:
        """In debug mode, compare the memories of all processes."""
        if self.debug:
            banks = memory_of(runner.model).banks
            check_same_vectors({name: bank.vectors for name, bank in banks.items()})

    def after_train_epoch(self, runner: Runner) -> None:
        """Note that no epoch is in progress."""
        self.first_iter = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Save memory and labels, unless the next epoch clusters again without them."""
        meta = checkpoint['meta']
        seen = 0 if self.first_iter is None else meta['iter'] - self.first_iter
        memory = memory_of(runner.model)
        if 'optimizer' not in checkpoint or not len(memory.centroids):
            return  # nothing can be resumed from it, or not
        lasting = self.clusterer.state or memory.LASTS
        if seen or meta['epoch'] % self.interval or lasting:
            state = dict(iteration=seen, memory=memory.snapshot(), images=self.images)
            if self.clusterer.state:
                state['clusterer'] = self.clusterer.state
            checkpoint['cluster_memory'] = state


def extraction_dataloader(cfg: Config) -> dict:
    """Build the loader of the training images from a Runner's config.

    Args:
        cfg (Config): Config with ``train_dataloader``, and ``test_dataloader`` or
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
    return dict(test, dataset=dataset, sampler=sampler)


def tell_progress(runner: Runner, memory: BaseMemory) -> None:
    """Tell a memory how far the training is, the same for all batches of a step.

    Args:
        runner (Runner): The runner.
        memory (BaseMemory): The memory of its model.
    """
    step = runner.iter - runner.iter % memory.batches_per_update
    memory.progress = step / runner.max_iters
    memory.epoch = runner.epoch


def memory_of(model: nn.Module) -> BaseMemory:
    """Return the memory of a model, wrapped for distributed training or not."""
    return unwrapped(model).head.memory
