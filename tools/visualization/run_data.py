"""The images of a run and their embeddings, which the tools of this folder draw."""

import argparse
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmreid_cc.allocator import keep_freed_memory
from mmreid_cc.apis.model import load_config, load_model
from mmreid_cc.clustering import CLUSTERERS
from mmreid_cc.datasets import source_classes
from mmreid_cc.engine import extract_features
from mmreid_cc.engine.cfg_options import add_cfg_options, merge_cfg_options
from mmreid_cc.engine.config_check import check_config
from mmreid_cc.engine.hook_config import cluster_hook
from mmreid_cc.engine.hooks.cluster_memory_hook import (
    extraction_dataloader,
    memory_of,
)
from mmreid_cc.engine.launch import (
    drop_own_scope,
    fit_loaders,
    set_data_root,
)
from mmreid_cc.engine.pseudo_labels import pseudo_labels
from mmreid_cc.engine.resuming import PREFIX_OF_BEST, newest_whole_checkpoint
from mmreid_cc.engine.safe_loading import load_checkpoints_safely, load_file
from mmreid_cc.engine.starting import share_temporary_folder
from mmreid_cc.visualization import (
    ClusteredImages,
    EmbeddedImages,
    SimilarityMaps,
    similarity_maps,
)


def source_parser(description: str | None, picture: str) -> argparse.ArgumentParser:
    """Create a parser of the arguments that the tools share.

    Args:
        description (str): What the tool draws.
        picture (str): Default of ``--out``.

    Returns:
        argparse.ArgumentParser: For :class:`RunData`.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('source', help='work dir of tools/train.py, or a config file')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='checkpoint file (default: the best in the work dir, or else the last)',
    )
    parser.add_argument(
        '--out', default=picture, help='output file (default: %(default)s)'
    )
    parser.add_argument(
        '--data-root', help='folder of the data set; replaces those in the config'
    )
    add_cfg_options(parser)
    return parser


def add_no_cameras(parser: argparse.ArgumentParser) -> None:
    """Add ``--no-cameras``, for the tools that rank."""
    parser.add_argument(
        '--no-cameras',
        action='store_true',
        help='keep gallery images of the identity and camera of the query',
    )


class RunData:
    """A trained network and the images of its config.

    Args:
        args (argparse.Namespace): Arguments from :func:`source_parser`.

    Raises:
        FileNotFoundError: If there is no config or no checkpoint.
        ValueError: If the config is wrong.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        keep_freed_memory()
        share_temporary_folder()
        load_checkpoints_safely()
        self.config_file, self.checkpoint = find_run(args.source, args.checkpoint)
        cfg = Config.fromfile(self.config_file)
        drop_own_scope(cfg)
        if args.data_root is not None:
            set_data_root(cfg, args.data_root)
        merge_cfg_options(cfg, args.cfg_options)
        cfg = load_config(cfg)
        check_config(cfg)
        fit_loaders(cfg)
        init_default_scope(cfg.get('default_scope', 'mmreid_cc'))
        self.cfg = cfg
        print(f'Config {self.config_file}, checkpoint {self.checkpoint}')

    def checkpoint_in_words(self) -> str:
        """Return the checkpoint, and why the results of a best one look good."""
        if self.checkpoint.name.startswith(PREFIX_OF_BEST):
            return f'{self.checkpoint}, which was chosen by its results on a test set'
        return str(self.checkpoint)

    @cached_property
    def model(self) -> Any:
        """Return the network with the weights of the checkpoint."""
        return load_model(self.cfg, self.checkpoint)

    def test_images(self, exclude_same_camera: bool = True) -> EmbeddedImages:
        """Embed query and gallery of the config.

        Args:
            exclude_same_camera (bool): As in :class:`EmbeddedImages`.

        Returns:
            EmbeddedImages: The images of ``test_dataloader``.
        """
        loader = Runner.build_dataloader(self.cfg.test_dataloader)
        columns = ('img_path', 'pid', 'cam_id', 'is_query')
        paths, pids, cam_ids, is_query = map(loader.dataset.column, columns)
        features = extract_features(self.model, loader).numpy()
        return EmbeddedImages(
            paths, features, pids, cam_ids, is_query, exclude_same_camera
        )

    def clustered_images(self) -> ClusteredImages:
        """Return the training images with the labels that the next epoch would use.

        A checkpoint from within an epoch, or from between two clusterings, holds them;
        otherwise the images are clustered.

        Returns:
            ClusteredImages: The images of ``train_dataloader``, without augmentation.

        Raises:
            ValueError: If the config clusters nothing.
            RuntimeError: If all images are un-clustered.
        """
        hook = cluster_hook(self.cfg)
        if hook is None:
            raise ValueError(
                f'{self.config_file} has no ClusterMemoryHook, so there are no '
                'clusters to draw: it learns from identities.'
            )
        cfg = hook.get('dataloader') or extraction_dataloader(self.cfg)
        loader = Runner.build_dataloader(cfg)
        columns = ('img_path', 'pid', 'cam_id', 'track', 'time')
        paths, pids, cam_ids, tracks, times = map(loader.dataset.column, columns)
        features = extract_features(self.model, loader)
        features = memory_of(self.model).clustered(features)
        saved = load_file(str(self.checkpoint), 'cpu').get('cluster_memory')
        if saved is not None:
            labels = saved['memory']['labels']
        else:
            labels, _ = pseudo_labels(
                features,
                CLUSTERERS.build(hook.clusterer),
                torch.from_numpy(cam_ids),
                hook.get('camera_normalization'),
                tracks,
                times,
                source_classes(loader.dataset),
            )
        return ClusteredImages(paths, features.numpy(), pids, cam_ids, labels.numpy())

    def similarity_maps(self, first: str, second: str) -> SimilarityMaps:
        """Return the Grad-CAM of two images, as the network sees them in tests.

        Args:
            first (str): Path of an image.
            second (str): Path of the other.

        Returns:
            SimilarityMaps: See :func:`mmreid_cc.visualization.similarity_maps`.
        """
        pipeline = Compose(self.cfg.test_dataloader.dataset.pipeline)
        items = [
            dict(img_path=path, sample_idx=i) for i, path in enumerate((first, second))
        ]
        batch = pseudo_collate([pipeline(item) for item in items])
        inputs = self.model.data_preprocessor(batch, False)['inputs']
        return similarity_maps(self.model, inputs)


def find_run(source: str, checkpoint: str | None) -> tuple[Path, Path]:
    """Find the config and the checkpoint that the command line means.

    Args:
        source (str): A work dir, or a config file.
        checkpoint (str, optional): None: the best in the work dir, or else the last.

    Returns:
        tuple[Path, Path]: Config and checkpoint.

    Raises:
        FileNotFoundError: If one of them is missing; it says what to give.
    """
    path = Path(source)
    if path.is_file():
        if checkpoint is None:
            raise FileNotFoundError(
                f'Which checkpoint? {source} is a config: add a checkpoint file, or '
                'give the work dir of a run instead.'
            )
        return path, Path(checkpoint)
    configs = sorted(path.glob('*.py'), key=lambda file: file.stat().st_mtime)
    if not configs:
        raise FileNotFoundError(
            f'{source} is neither a config file nor the work dir of a run, which holds '
            'the config that tools/train.py has written there.'
        )
    if checkpoint is not None:
        return configs[-1], Path(checkpoint)
    best = sorted(
        path.glob(f'{PREFIX_OF_BEST}*.pth'), key=lambda file: file.stat().st_mtime
    )
    found = best[-1] if best else newest_whole_checkpoint(path)
    if found is None:
        raise FileNotFoundError(
            f'{source} holds no checkpoint yet. Wait for the first epoch, or name one.'
        )
    return configs[-1], Path(found)
