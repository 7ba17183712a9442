"""The base class of the metrics on embeddings, which are gathered once."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from mmengine.dist import all_gather, broadcast_object_list, is_main_process
from mmengine.evaluator import BaseMetric
from torch import Tensor

from ..gather import gather_by_index


class FeatureMetric(BaseMetric):
    """Base class of the metrics that look at the embeddings of all images together.

    A subclass names its ``FIELDS`` and implements :meth:`compute_metrics`, which the
    main process calls; all processes get the result.

    Attributes:
        FIELDS (tuple[str, ...]): The integers that it needs of each data sample beside
            ``feature``, from the data set, through ``PackInputs(meta_keys=...)``;
            ``sample_idx``, 0…N − 1, is the first.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ('sample_idx',)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep what is needed of a batch as two CPU tensors.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): B data samples with ``feature`` and
                ``FIELDS``.

        Raises:
            ValueError: If a data sample lacks one of them.
        """
        for sample in data_samples:
            missing = [name for name in ('feature', *self.FIELDS) if name not in sample]
            if missing:
                raise ValueError(
                    f'{type(self).__name__} needs {missing}, but a data sample has '
                    f'only {sorted(sample)}. The head must set `feature`; the data '
                    f'set must provide {list(self.FIELDS)}, and its pipeline must pass '
                    'them on with `PackInputs(meta_keys=...)`.'
                )
        features = torch.stack([sample['feature'] for sample in data_samples])
        fields = [
            [int(sample[name]) for name in self.FIELDS] for sample in data_samples
        ]
        self.results.append((features.detach().float().cpu(), torch.tensor(fields)))

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the tensors of all ranks, compute on one, and send the result.

        Unlike the base class, which pickles the results sample by sample.

        Args:
            size (int): Number of samples of the data set.

        Returns:
            dict[str, float]: The metrics with their prefix, on every rank.

        Raises:
            ValueError: On every rank, whichever of them has found what is wrong.
        """
        counts = [int(n) for n in all_gather(torch.tensor([len(self.results)]))]
        if not all(counts):
            raise ValueError(
                f'{type(self).__name__} has processed no data sample on rank '
                f'{counts.index(0)} of {len(counts)}.'
            )
        features, fields = (torch.cat(part) for part in zip(*self.results, strict=True))
        self.results.clear()
        indices = fields[:, 0]
        features = gather_by_index(features, indices, size)
        fields = gather_by_index(fields, indices, size)
        outcome: list[dict[str, float] | Exception] = [{}]
        if is_main_process():
            # An error here must end the other processes, too, not let them wait.
            try:
                outcome = [self.compute_metrics([features, fields])]
            except Exception as error:
                outcome = [error]
        broadcast_object_list(outcome)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return {f'{self.prefix}/{name}': value for name, value in outcome[0].items()}

    @abstractmethod
    def compute_metrics(self, results: list[Tensor]) -> dict[str, float]:
        """Compute the metrics of the whole data set, without prefix.

        Args:
            results (list[Tensor]): The features (N, D) float32, and (N, F) int64, the
                ``FIELDS`` of each.

        Returns:
            dict[str, float]: By name.
        """
