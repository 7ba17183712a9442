"""Reports of a clustering to the log and the visualizer."""

import numpy as np
from mmengine.runner import Runner
from torch import Tensor

from mmreid_cc.clustering import estimated_people, label_silhouette
from mmreid_cc.clustering.quality import cluster_statistics, clustering_quality
from mmreid_cc.datasets import ReIDDataset
from mmreid_cc.visualization import ClusteredImages, figure_pixels


def clustering_scores(
    features: np.ndarray, labels: np.ndarray, pids: np.ndarray
) -> dict[str, float]:
    """Count and judge clusters, also by identities if they are known.

    Args:
        features (np.ndarray): The features that were clustered, L2-normalised, shape
            (N, D).
        labels (np.ndarray): Cluster of each image, −1 for none; shape (N,).
        pids (np.ndarray): True identities, −1 where unknown; shape (N,).

    Returns:
        dict[str, float]: The scores of
        :func:`mmreid_cc.clustering.quality.cluster_statistics` and
        :func:`mmreid_cc.clustering.quality.clustering_quality`; ``silhouette``, see
        :func:`mmreid_cc.clustering.label_silhouette`; and ``people``, their estimated
        number.
    """
    return {
        **cluster_statistics(labels),
        'silhouette': label_silhouette(features, labels),
        'people': float(estimated_people(labels)[0]),
        **clustering_quality(labels, pids),
    }


def report_clustering(
    runner: Runner,
    scores: dict[str, float],
    memory_bytes: int,
    seconds: dict[str, float],
) -> None:
    """Report a clustering to the log and the visualizer.

    Args:
        runner (Runner): Runner whose logger and visualizer are used.
        scores (dict[str, float]): Scores from :func:`clustering_scores`.
        memory_bytes (int): Bytes of the vectors of the memory.
        seconds (dict[str, float]): Duration of each stage.
    """
    if runner.epoch == 0:
        runner.logger.info(in_words(scores))
    scalars = {
        **scores,
        'memory_bytes': memory_bytes,
        **{f'seconds_{stage}': spent for stage, spent in seconds.items()},
    }
    numbers = ', '.join(f'{name} {value:.4g}' for name, value in scalars.items())
    runner.logger.info(f'Clustering before epoch {runner.epoch + 1}: {numbers}')
    runner.visualizer.add_scalars(
        {f'cluster/{name}': value for name, value in scalars.items()}, step=runner.epoch
    )


def in_words(scores: dict[str, float]) -> str:
    """Describe the result of a clustering in a sentence.

    Args:
        scores (dict[str, float]): Scores from :func:`clustering_scores`, of one image
            or more.

    Returns:
        str: For a log.

    Example:
        >>> in_words(dict(clusters=0.0, unclustered=1.0, people=50.0))
        'First clustering: no cluster; all images are un-clustered.'
    """
    if not scores['clusters']:
        return 'First clustering: no cluster; all images are un-clustered.'
    names = 'clusters', 'size_min', 'size_max', 'people'
    clusters, fewest, most, people = (round(scores[name]) for name in names)
    images = f'{most} {"image" if most == 1 else "images"}'
    return (
        f'First clustering: {clusters} {"cluster" if clusters == 1 else "clusters"} of '
        f'{images if fewest == most else f"{fewest} to {images}"}, '
        f'{scores["unclustered"]:.0%} of the images un-clustered; '
        f'about {people} {"person" if people == 1 else "people"}.'
    )


def draw_clustering(
    runner: Runner, dataset: ReIDDataset, features: Tensor, labels: Tensor
) -> None:
    """Draw a sheet of the clusters and a map of the images by the visualizer.

    Args:
        runner (Runner): Runner whose visualizer is used.
        dataset (ReIDDataset): Data set of N images.
        features (Tensor): The features that were clustered, shape (N, D).
        labels (Tensor): Cluster of each image, −1 for none; shape (N,).
    """
    paths, pids, cam_ids = map(dataset.column, ('img_path', 'pid', 'cam_id'))
    columns = paths, features, pids, cam_ids, labels
    images = ClusteredImages(*map(np.asarray, columns))
    pictures = {'clusters': images.sheet(), 'embedding_map': images.map()}
    for name, figure in pictures.items():
        pixels = figure_pixels(figure)
        runner.visualizer.add_image(name, pixels, step=runner.epoch)
