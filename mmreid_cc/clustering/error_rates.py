"""How often different people reach a score, and how often the same person misses it."""

import numpy as np

_FROM, _TO = 0.95, 0.975  # quantiles that the tail goes on from
_FEWEST = 200  # pairs of different people that these are found from
# Otherwise: the 95 % quantile of normal numbers, and a step from it to 97.5 % of those
# that were measured on CUHK03 (normal numbers: 0.31).
_USUAL_START, _USUAL_STEP = 1.64, 0.4


class ErrorRates:
    """The errors of a threshold, estimated from pairs whose people tracks reveal.

    Two tracks of one camera that overlap in time show different people, and the halves
    of a track show the same person. No labels are needed.

    High scores of different people are too rare to be counted. Beyond the 95 %
    quantile, their share is assumed to halve with every step that is as long as the one
    from the 95 % to the 97.5 % quantile: an exponential tail (Pickands, Statistical
    inference using extreme order statistics, Annals of Statistics 3, 1975), fitted by
    its median. A few pairs that do show one person, such as a person and a mirror
    image, therefore hardly change it.

    Args:
        different (np.ndarray): (P,) scores of pairs of different people, P ≥ 1.
        same (np.ndarray): (S,) scores of pairs of one person; may be empty.

    Example:
        >>> normal = np.random.default_rng(0).normal(size=100_000)
        >>> rates = ErrorRates(different=normal, same=normal + 5)
        >>> round(rates.threshold(0.001)), round(rates.miss(3.4), 2)
        (3, 0.05)
    """

    def __init__(self, different: np.ndarray, same: np.ndarray) -> None:
        self._different, self._same = np.sort(different), np.sort(same)
        self._start, self._step = _USUAL_START, _USUAL_STEP
        self.assumed = len(different) < _FEWEST
        if not self.assumed:
            self._start, end = np.quantile(self._different, [_FROM, _TO])
            self._step = max(float(end - self._start), 1e-6)

    def false_match(self, score: float) -> float:
        """Return the share of pairs of different people that reach a score.

        Args:
            score (float): A threshold.

        Returns:
            float: In [0, 1].
        """
        steps = (score - self._start) / self._step
        return float(min(1, (1 - _FROM) * 0.5**steps))

    def miss(self, score: float) -> float:
        """Return the share of pairs of one person that do not reach a score.

        Args:
            score (float): A threshold.

        Returns:
            float: In [0, 1]; NaN if there is no pair.
        """
        if not len(self._same):
            return float('nan')
        return float(np.searchsorted(self._same, score)) / len(self._same)

    def threshold(self, rate: float) -> float:
        """Return the score that a given share of the pairs of different people reach.

        Args:
            rate (float): In (0, 1].

        Returns:
            float: The threshold.
        """
        steps = np.log2((1 - _FROM) / min(rate, 1 - _FROM))
        return float(self._start + self._step * steps)
