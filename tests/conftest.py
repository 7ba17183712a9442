"""Data that several tests share, drawn by code."""

import gc
import logging
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from mmengine.config import Config

ROOT = Path(__file__).parents[1]


def write_crop(
    path: Path, pid: int, seed: int, size: tuple[int, int] = (64, 32)
) -> None:
    """Write a crop whose colour belongs to the identity, with some noise."""
    color = np.random.default_rng(pid).integers(40, 216, (4, 1, 3))
    noise = np.random.default_rng(seed).integers(-15, 16, (*size, 3))
    image = np.repeat(color, size[0] // 4, axis=0) + noise
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.broadcast_to(image, (*size, 3)).astype(np.uint8)).save(path)


def need_extra(module: str, reason: str) -> None:
    """Skip the tests of a file where a module is not installed.

    ``pytest.importorskip`` would import it, for up to seconds, in every process that
    collects tests.
    """
    if find_spec(module) is None:
        pytest.skip(reason, allow_module_level=True)


def pytest_configure(config: pytest.Config) -> None:
    """Import the libraries, except where tests are only handed out to other processes.

    It comes before the tests are imported, because it changes what they import, and
    because processes that are to know nothing of the tests are forked from this one.
    """
    if not config.getoption('numprocesses', None):
        of_pytest = warnings.filters[:]
        import fast_runs  # noqa: F401
        import tiny_backbone  # noqa: F401
        from tool_runs import fork_server

        fork_server(of_pytest)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a GPU where there is none."""
    import torch

    if item.get_closest_marker('gpu') and not torch.cuda.is_available():
        pytest.skip('needs a GPU, and PyTorch finds none')


@pytest.fixture(autouse=True, scope='module')
def _look_at_new_objects_only() -> None:
    """Let the garbage collector pass over what earlier modules left.

    Each data set that is built collects garbage, which takes up to half a second when
    all tests and libraries are looked through.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _end_logs() -> Iterator[None]:
    """Close the logs of a test; the next one gets new loggers."""
    from mmengine.logging import MMLogger

    yield
    MMLogger._instance_dict.clear()
    logging.shutdown()


@pytest.fixture(scope='session')
def market_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set in the layout of Market-1501 whose identities differ by colour.

    Train: 8 identities × 2 cameras × 3 shots. Test: 4 identities × 2 cameras, one query
    and two gallery images each, and one distractor and one junk image.
    """
    root = tmp_path_factory.mktemp('market')
    seed = 0
    for pid in range(1, 13):
        for cam in (1, 2):
            for shot in range(3):
                seed += 1
                folder = 'bounding_box_train'
                if pid > 8:
                    folder = 'query' if shot == 0 else 'bounding_box_test'
                name = f'{pid:04d}_c{cam}s1_{seed:06d}_00.jpg'
                write_crop(root / folder / name, pid, seed)
    write_crop(root / 'bounding_box_test' / '0000_c1s1_000000_00.jpg', 99, 998)
    write_crop(root / 'bounding_box_test' / '-1_c1s1_000000_00.jpg', 98, 999)
    (root / 'bounding_box_train' / 'Thumbs.db').write_bytes(b'not an image')
    return root


@pytest.fixture
def tiny_config(market_root: Path, tmp_path: Path) -> 'Config':
    """A recipe on ``market_root``: TinyBackbone, 2 epochs of 3 batches of 4 × 4."""
    from mmengine.config import Config

    config = Config.fromfile(ROOT / 'configs' / 'cc_mbv2_cuhk03.py')
    config.model.backbone = dict(type='TinyBackbone')
    config.model.head.in_channels = 16
    loaders = config.train_dataloader, config.val_dataloader, config.test_dataloader
    for loader in loaders:
        loader.dataset.data_root = str(market_root)
        loader.update(num_workers=0, persistent_workers=False, pin_memory=False)
    config.train_dataloader.update(batch_size=16)
    config.train_dataloader.sampler.update(
        num_clusters=4, num_instances=4, iters_per_epoch=3
    )
    clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
    config.default_hooks.cluster_memory.clusterer = clusterer
    config.default_hooks.logger.interval = 1
    config.train_cfg.max_epochs = 2
    config.val_evaluator = config.test_evaluator = dict(type='ReIDMetric')
    config.work_dir = str(tmp_path / 'work_dir')
    config.experiment_name = tmp_path.name
    return config
