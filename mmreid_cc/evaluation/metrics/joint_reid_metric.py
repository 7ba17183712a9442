"""A metric for several test sets in one run, each evaluated on its own."""

from mmengine.logging import print_log
from torch import Tensor

from mmreid_cc.registry import METRICS

from .reid_metric import ReIDMetric


@METRICS.register_module()
class JointReIDMetric(ReIDMetric):
    """The metrics of each data set in a :class:`JointReID`, and their mean.

    Every set is ranked on its own: its queries search its own gallery. Results have the
    name of the set, as in ``reid/market/mAP``. Their mean over the sets, in which each
    has the same weight, is ``reid/mAP``, so that it can select the best checkpoint. The
    log gets a row for each set. Arguments are those of :class:`ReIDMetric`.

    Raises:
        ValueError: As :class:`ReIDMetric`, with the name of the set; and if the data
            set is no :class:`JointReID`.

    Examples:
        .. code:: python

            test_dataloader = dict(dataset=dict(
                type='JointReID', split='test', data_root='data', datasets=dict(
                    market=dict(type='Market1501', data_root='market1501'),
                    msmt17=dict(type='MSMT17', data_root='msmt17')), ...), ...)
            test_evaluator = dict(type='JointReIDMetric')
    """

    def compute_metrics(self, results: list[Tensor]) -> dict[str, float]:
        """Compute the metrics of every data set.

        Args:
            results (list[Tensor]): As :class:`ReIDMetric`, of all sets, in their order.

        Returns:
            dict[str, float]: The metrics in percent, without prefix.
        """
        sizes = (self.dataset_meta or {}).get('sizes')
        if sizes is None:
            raise ValueError(
                'JointReIDMetric tests the data sets within a JointReID one by one, '
                'but the data set that is tested is no JointReID. Use ReIDMetric for '
                'it, or put it into a JointReID.'
            )
        parts = [part.split(list(sizes.values())) for part in results]
        rows = {}
        for name, *part in zip(sizes, *parts, strict=True):
            try:
                rows[name] = super().compute_metrics(part)
            except ValueError as error:
                raise ValueError(f'{name}: {error}') from error
        first, *others = rows.values()
        common = [key for key in first if all(key in row for row in others)]
        mean = {
            key: sum(row[key] for row in rows.values()) / len(rows) for key in common
        }
        print_log(_table({**rows, 'mean': mean}, common), logger='current')
        named = {
            f'{name}/{key}': value
            for name, row in rows.items()
            for key, value in row.items()
        }
        return {**mean, **named}


def _table(rows: dict[str, dict[str, float]], columns: list[str]) -> str:
    """Format a table with a row for each data set and a column for each metric."""
    width = max(len(name) for name in rows)
    widths = [max(len(column), 5) for column in columns]
    lines = [['', *columns]]
    lines += [
        [name, *(f'{row[column]:.1f}' for column in columns)]
        for name, row in rows.items()
    ]
    return '\n'.join(
        ['Test of each data set:']
        + [
            '  '.join([first.ljust(width), *map(str.rjust, cells, widths)])
            for first, *cells in lines
        ]
    )
