"""A target without labels, and sources with labels, as one data set."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mmreid_cc.registry import DATASETS

from .identities import identity_labels
from .joint import JointReID

TARGET = 'target'


@DATASETS.register_module()
class AdaptationReID(JointReID):
    """A target whose images are clustered, and sources whose identities are known.

    For training, they are joined as in :class:`JointReID`, the target first. Clusters
    are found in the target, and every identity of the sources is a class. Tests use the
    target alone. Only this class and :class:`LabelledReID` give identities to training.

    Args:
        target (dict): Config of the data set without labels, without ``split`` and
            ``pipeline``.
        sources (Mapping[str, dict]): Name and config of each data set with labels.
        data_root (str): Folder that the ``data_root`` of each is below. Defaults to
            ``''``, the working directory.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms of an image.

    Raises:
        ValueError: If there is no source, one is named ``'target'``, or none shows a
            known identity.

    Examples:
        .. code:: python

            dataset=dict(
                type='AdaptationReID', data_root='data', pipeline=train_pipeline,
                target=dict(type='Market1501', data_root='market1501'),
                sources=dict(msmt17=dict(type='MSMT17', data_root='msmt17')))

        >>> dataset.column('source_class')[[0, -1]]
        array([  -1, 1040])
    """

    def __init__(
        self,
        target: dict,
        sources: Mapping[str, dict],
        data_root: str = '',
        split: str = 'train',
        pipeline: Sequence[dict | Callable] = (),
    ) -> None:
        if not sources or TARGET in sources:
            raise ValueError(
                'AdaptationReID: `sources` must name at least one data set with '
                f'labels, and none of them "{TARGET}", got {list(sources)}.'
            )
        joined = {TARGET: target, **(sources if split == 'train' else {})}
        super().__init__(joined, data_root, split, pipeline)

    def load_data_list(self) -> list[dict]:
        """Read all data sets, and number the classes of the sources."""
        data_list = super().load_data_list()
        first = self._metainfo['sizes'][TARGET]
        pids = np.array([info['pid'] for info in data_list[first:]], dtype=np.int64)
        classes = np.full(len(data_list), -1)
        if len(pids):
            classes[first:] = identity_labels(pids)
        for info, number in zip(data_list, classes.tolist(), strict=True):
            info['source_class'] = number
        return data_list


def source_classes(dataset: object) -> np.ndarray:
    """Return the classes of the images whose identities may be learned from.

    Args:
        dataset (object): Any data set with a length.

    Returns:
        np.ndarray: Shape (N,), int64; −1 where an image is to be clustered, which all
        are unless it is an :class:`AdaptationReID`.
    """
    if isinstance(dataset, AdaptationReID):
        return dataset.column('source_class')
    return np.full(len(dataset), -1)  # type: ignore[arg-type]
