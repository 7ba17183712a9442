"""Pseudo labels, which all processes find together."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard

import numpy as np
import torch
from mmengine.dist import (
    all_gather_object,
    broadcast,
    broadcast_object_list,
    get_rank,
    get_world_size,
    is_main_process,
)
from mmengine.logging import print_log
from torch import Tensor

from mmreid_cc.clustering import (
    BaseClusterer,
    ByCamera,
    JaccardClusterer,
    NeighborClusterer,
    Share,
    Tracklets,
    WrappingClusterer,
    arguments_taken,
    knn,
    normalize_cameras,
)
from mmreid_cc.clustering.setting_chooser import SettingChooser
from mmreid_cc.evaluation.gather import gather_rows

from .local_ranks import local_ranks

CAMERA_NORMALIZATIONS = ('mean', 'standardize')
ALIKE = 2e-5
"""A spread of features, above that of networks which tell no image from another. With
random weights, on crops of CUHK03, MobileNetV2, MobileNetV3, EfficientNet and
ShuffleNetV2 have less; OSNet has 0.003, and ResNet-50 0.02."""
_MORE = {  # what lets an algorithm find more
    'Agglomerative': 'Raise `distance_threshold` or lower `min_cluster_size`',
    'DBSCAN': 'Raise `eps` or lower `min_samples`; with few images of each person '
    'lower `k1`',
    'HDBSCAN': 'Lower `min_cluster_size`; with few images of each person lower `k1`',
    'InfoMap': 'Lower `min_similarity` or `min_cluster_size`',
}
_SMALLER = {
    'Agglomerative': 'Lower `distance_threshold`',
    'DBSCAN': 'Lower `eps`',
    'HDBSCAN': 'Lower `k1`',
    'InfoMap': 'Raise `min_similarity`',
}


def pseudo_labels(
    features: Tensor,
    clusterer: BaseClusterer,
    cam_ids: Tensor,
    camera_normalization: str | None = None,
    tracks: np.ndarray | None = None,
    times: np.ndarray | None = None,
    source_classes: np.ndarray | None = None,
    *,
    required: bool = True,
) -> tuple[Tensor, dict[str, float]]:
    """Cluster features, with the same labels in all processes.

    In a distributed run, every process searches the neighbours of its share of the
    images, and the main process clusters. If neighbours are searched camera by camera,
    the main process does that, too. An error of the main process is raised in all of
    them.

    Args:
        features (Tensor): L2-normalised, shape (N, D), the same in all processes.
        clusterer (BaseClusterer): The algorithm.
        cam_ids (Tensor): Camera of each image, shape (N,), int64.
        camera_normalization (str, optional): ``'mean'`` or ``'standardize'``: cluster
            the features that :func:`normalize_cameras` returns. Defaults to None.
        tracks (np.ndarray, optional): Track of each image within its camera, shape
            (N,), int64, −1 for none; for :class:`Tracklets`. Defaults to None.
        times (np.ndarray, optional): Seconds, shape (N,), NaN where unknown; for
            :class:`Tracklets`. Defaults to None.
        source_classes (np.ndarray, optional): Classes of images from a labelled source,
            −1 for those that are clustered; shape (N,), int64. They are numbered behind
            the clusters. Defaults to None: all images are clustered.
        required (bool): Whether there must be a cluster. Defaults to True.

    Returns:
        tuple[Tensor, dict[str, float]]: Labels (N,) int64, −1 is un-clustered; and, in
        the main process, the seconds of each stage.

    Raises:
        RuntimeError: If nothing was clustered; it says what to change.
    """
    if source_classes is not None and (source_classes >= 0).any():
        target = source_classes < 0
        found, seconds = pseudo_labels(
            features[target],
            clusterer,
            cam_ids[target],
            camera_normalization,
            None if tracks is None else tracks[target],
            None if times is None else times[target],
            required=required,
        )
        labels = torch.from_numpy(source_classes) + found.max() + 1
        labels[target] = found
        return labels, seconds
    clustered: Any = features
    if camera_normalization is not None:
        standardize = camera_normalization == 'standardize'
        clustered = normalize_cameras(features, cam_ids, standardize=standardize)
    arguments = arguments_taken(clusterer, cam_ids=cam_ids, tracks=tracks, times=times)
    searched: dict[str, float] = {}
    if get_world_size() > 1 and searches_first(clusterer):
        start = time.perf_counter()
        arguments['neighbors'] = search_together(clustered, clusterer)
        searched = {'neighbours': time.perf_counter() - start}

    def cluster() -> np.ndarray:
        labels = clusterer.fit_predict(clustered, **arguments)
        if required:
            check_labels(torch.from_numpy(labels), features, clusterer)
        by = clusterer.clusterer if isinstance(clusterer, Tracklets) else clusterer
        if isinstance(by, ByCamera) or isinstance(innermost(by), SettingChooser):
            print_log(f'Settings that were found: {by!r}', logger='current')
        return labels

    labels = labels_of_main_process(cluster, len(features))
    return labels, {**searched, **clusterer.stage_seconds}


def innermost(clusterer: object) -> object:
    """Return the algorithm that finds clusters, without those that run it.

    Args:
        clusterer (object): An algorithm, e.g. :class:`Tracklets`, or anything else.

    Returns:
        object: What it runs, or itself.
    """
    while isinstance(clusterer, WrappingClusterer):
        clusterer = clusterer.clusterer
    return clusterer


def searches_first(clusterer: BaseClusterer) -> TypeGuard[NeighborClusterer]:
    """Return whether a clusterer starts from neighbours that processes can share.

    Args:
        clusterer (BaseClusterer): The algorithm.

    Returns:
        bool: False if it searches by itself, e.g. camera by camera.
    """
    by_cameras = isinstance(clusterer, JaccardClusterer) and clusterer.cameras
    return isinstance(clusterer, NeighborClusterer) and not by_cameras


def labels_of_main_process(find: Callable[[], np.ndarray], count: int) -> Tensor:
    """Find labels in the main process, and send them to all.

    An error of the main process is raised in all of them, because they would wait for
    it otherwise.

    Args:
        find (Callable): Returns the labels of all images, (N,) int64.
        count (int): Number of images, N.

    Returns:
        Tensor: (N,) int64, the same in all processes.
    """
    labels = torch.full((count,), -1)
    error: list[Exception | None] = [None]
    if is_main_process():
        try:
            labels = torch.from_numpy(find())
        except Exception as caught:
            error = [caught]
    broadcast_object_list(error)
    if error[0] is not None:
        raise error[0]
    broadcast(labels)
    return labels


def search_together(
    features: Tensor | np.ndarray, clusterer: NeighborClusterer
) -> tuple[np.ndarray, np.ndarray]:
    """Search the neighbours that a clusterer starts from, each process its share.

    Args:
        features (array): L2-normalised, shape (N, D), the same in all processes.
        clusterer (NeighborClusterer): It defines the number of neighbours and the
            method.

    Returns:
        tuple[np.ndarray, np.ndarray]: The neighbours of all images, as
        :func:`mmreid_cc.clustering.knn` returns them, in all processes. An error in one
        process, e.g. for lack of memory, is raised in all of them.
    """
    local_size = len(local_ranks())
    with shared_errors() as meet:

        def gather(rows: np.ndarray) -> np.ndarray:
            meet()
            return gather_rows(torch.from_numpy(rows)).numpy()

        share = Share(get_rank(), get_world_size(), gather, local_size)
        return knn(features, clusterer.n_neighbors, share=share, **clusterer.knn)


@contextmanager
def shared_errors() -> Iterator[Callable[[], None]]:
    """Raise an error of one process in all, because the others would wait for it.

    Yields:
        Callable: A function that all processes call before they exchange anything. It
        is called once more at the end.
    """
    raised = False

    def meet(error: Exception | None = None) -> None:
        nonlocal raised
        errors = [found for found in all_gather_object(error) if found is not None]
        if errors:
            raised = True
            raise errors[0]

    try:
        yield meet
    except Exception as error:
        if not raised:  # the others wait at their next meeting
            meet(error)
        raise
    meet()


def check_labels(labels: Tensor, features: Tensor, source: object) -> None:
    """Check that there is something to learn from the labels.

    Args:
        labels (Tensor): Cluster of each image, −1 is un-clustered; shape (N,).
        features (Tensor): L2-normalised, shape (N, D).
        source (object): The source of the labels, for messages.

    Raises:
        RuntimeError: If nothing was clustered; it says what to change.
    """
    num_clusters = int(labels.max()) + 1
    spread = 1 - features.mean(dim=0).norm().item()
    finding = (
        f'{source!r} found {num_clusters} cluster(s) in {len(features)} images. '
        f'Their features have a spread of {spread:.4f} (0: all are alike; near 1: no '
        'image is similar to another).'
    )
    if num_clusters == 0:
        raise RuntimeError(
            f'{finding} There is nothing to train on. {advice(source, more=True)}'
        )
    if num_clusters == 1:
        change = advice(source, more=False)
        if spread < ALIKE:
            change = (
                'The network does not tell images apart: it has random weights, or has '
                'collapsed. Start from trained weights, by `model.backbone.init_cfg` '
                'or `load_from`.'
            )
        print_log(
            f'{finding} With one cluster the loss is 0 and nothing is learned in this '
            f'epoch. {change}',
            logger='current',
            level=logging.WARNING,
        )


def advice(source: object, more: bool) -> str:
    """Return advice for a clusterer that finds nobody, or only one person.

    Args:
        source (object): The algorithm, or the file that labels were read from.
        more (bool): Whether more clusters are wanted, or smaller ones.

    Returns:
        str: A sentence or two.
    """
    source = innermost(source)
    name = type(source).__name__
    if name in _MORE:
        change = _MORE[name] if more else _SMALLER[name]
        return f'{change}; or use better weights, or `type="AutoDBSCAN"`.'
    if name.startswith('Auto'):
        return (
            'Its settings are found from the features, so there are none to change: '
            'use weights that were trained on people, of this data set or another.'
        )
    return 'Use another clusterer, or better weights.'
