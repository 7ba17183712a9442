"""Several data sets as one."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mmreid_cc.registry import DATASETS

from .crops import UNKNOWN
from .reid_dataset import ReIDDataset


@DATASETS.register_module()
class JointReID(ReIDDataset):
    """The images of several data sets, one set after the other.

    Their identities and cameras are numbered so that no two sets share any; an unknown
    identity stays −1. ``sample_idx`` runs through all of them. So clustering, sampling
    and training see one data set. Testing, the ranking of
    :class:`ReIDMetric` searches the galleries of all sets together;
    :class:`JointReIDMetric` tests every set by itself.

    Args:
        datasets (Mapping[str, dict]): Name and config of each, without ``split`` and
            ``pipeline``. The names are those of the rows of results.
        data_root (str): Folder that the ``data_root`` of each is below. Defaults to
            ``''``, the working directory.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms of an image.

    Raises:
        ValueError: If there is no data set.

    Examples:
        .. code:: python

            dataset=dict(
                type='JointReID', data_root='data', pipeline=train_pipeline,
                datasets=dict(
                    market=dict(type='Market1501', data_root='market1501'),
                    msmt17=dict(type='MSMT17', data_root='msmt17')))

        >>> dataset.metainfo['sizes']
        {'market': 12936, 'msmt17': 32621}
    """

    DISTRACTOR = None  # each data set has its own

    def __init__(
        self,
        datasets: Mapping[str, dict],
        data_root: str = '',
        split: str = 'train',
        pipeline: Sequence[dict | Callable] = (),
    ) -> None:
        if not datasets:
            raise ValueError(
                'JointReID: `datasets` is empty. Name at least one, as in '
                'datasets=dict(market=dict(type="Market1501", data_root="market1501")).'
            )
        self.dataset_cfgs = datasets
        super().__init__(data_root, split, pipeline)

    def load_data_list(self) -> list[dict]:
        """Read all data sets, and keep their identities and cameras apart."""
        data_list: list[dict] = []
        sizes = {}
        first_pid = first_cam = 0
        for name, cfg in self.dataset_cfgs.items():
            root = str(Path(self.data_root) / cfg.get('data_root', ''))
            dataset = DATASETS.build(dict(cfg, data_root=root, split=self.split))
            infos = [dataset.get_data_info(index) for index in range(len(dataset))]
            for info in infos:
                info['cam_id'] += first_cam
                if info['pid'] != UNKNOWN:
                    info['pid'] += first_pid
            first_pid = max(first_pid, *(info['pid'] + 1 for info in infos))
            first_cam = max(info['cam_id'] for info in infos) + 1
            sizes[name] = len(infos)
            data_list += infos
        self._metainfo['sizes'] = sizes
        return data_list
