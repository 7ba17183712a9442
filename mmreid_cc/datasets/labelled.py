"""A data set whose identities may be learned from."""

from collections.abc import Callable, Sequence

import numpy as np

from mmreid_cc.registry import DATASETS

from .identities import identity_labels
from .reid_dataset import ReIDDataset


@DATASETS.register_module()
class LabelledReID(ReIDDataset):
    """Another data set, with its identities as ``gt_label`` of the images.

    Only this class and :class:`AdaptationReID` give identities to training: a config
    without them learns from no label. The classes are the identities in ascending
    order, 0…C − 1; ``PackInputs`` passes ``gt_label`` on by itself.

    Args:
        data_root (str): Folder of the data set.
        dataset (dict): Config of the data set, without ``data_root``, ``split`` and
            ``pipeline``.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms of an image.

    Raises:
        ValueError: If no identity is known.

    Examples:
        .. code:: python

            dataset=dict(
                type='LabelledReID', data_root='data/market1501',
                dataset=dict(type='Market1501'), pipeline=train_pipeline)

        >>> dataset = LabelledReID('data/market1501', dict(type='Market1501'))
        >>> dataset.num_classes, dataset[0]['gt_label']
        (751, 0)
    """

    DISTRACTOR = None  # every number is a class

    def __init__(
        self,
        data_root: str,
        dataset: dict,
        split: str = 'train',
        pipeline: Sequence[dict | Callable] = (),
    ) -> None:
        self.dataset_cfg = dataset
        super().__init__(data_root, split, pipeline)

    @property
    def num_classes(self) -> int:
        """The number of identities, C."""
        return int(self.column('gt_label').max()) + 1

    def load_data_list(self) -> list[dict]:
        """Read the data set, and add the label of every image."""
        cfg = dict(self.dataset_cfg, data_root=self.data_root, split=self.split)
        dataset = DATASETS.build(cfg)
        data_list = [dataset.get_data_info(index) for index in range(len(dataset))]
        labels = identity_labels(np.array([info['pid'] for info in data_list]))
        for info, label in zip(data_list, labels.tolist(), strict=True):
            info['gt_label'] = label
        return data_list
