"""MMEngine's Runner, with a log that begins with the data and the device."""

import torch
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmreid_cc.datasets import ReIDDataset
from mmreid_cc.registry import DATASETS
from mmreid_cc.visualization.cameras import has_cameras

from .hook_config import cluster_hook


class ReIDRunner(Runner):
    """A Runner whose log begins with the data and the device, in five lines.

    MMEngine begins its log with some hundred lines about the environment and the
    config. The data set is built before them, so that the log can begin with it; it is
    built only once.

    Example:
        >>> runner = ReIDRunner.from_cfg(cfg)
        Data: train of data/market1501 (Market1501)
        Images: 12936
        People: 751, for the log only: training never looks at them
        Cameras: 6
        Device: NVIDIA H100 80GB HBM3 (processes: 1)
        ...
    """

    task = 'train'

    def _log_env(self, env_cfg: dict) -> None:
        name = f'_{self.task}_dataloader'
        loader = getattr(self, name)
        if isinstance(loader, DataLoader):
            dataset = loader.dataset
        else:
            dataset = DATASETS.build(loader['dataset'])
            setattr(self, name, dict(loader, dataset=dataset))
        if isinstance(dataset, ReIDDataset):
            for line in [*self._data_lines(dataset), self._device_line()]:
                self.logger.info(line)
        super()._log_env(env_cfg)

    def _data_lines(self, dataset: ReIDDataset) -> list[str]:
        counts = dataset.counts()
        known = counts['identities']
        people = str(known) if known else 'unknown'
        if known and self.task == 'train' and cluster_hook(self.cfg) is not None:
            people += ', for the log only: training never looks at them'
        known_cameras = has_cameras(dataset.column('cam_id'))
        cameras = str(counts['cameras']) if known_cameras else 'unknown'
        return [
            f'Data: {dataset.split} of {dataset.data_root} ({type(dataset).__name__})',
            f'Images: {counts["images"]}',
            f'People: {people}',
            f'Cameras: {cameras}',
        ]

    def _device_line(self) -> str:
        if torch.cuda.is_available():
            device = torch.cuda.get_device_name()
        else:
            device = f'CPU, {torch.get_num_threads()} thread(s)'
        return f'Device: {device} (processes: {self.world_size})'


class ReIDTestRunner(ReIDRunner):
    """A Runner for tests, whose log begins with the test data."""

    task = 'test'
