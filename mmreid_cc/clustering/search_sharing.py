"""The division of one search among several processes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Share:
    """The part of a search that this process does.

    Every process calls :func:`mmreid_cc.clustering.knn` with the same features and its
    own share, searches its rows, and gets the neighbours of all rows.

    Args:
        rank (int): Rank of this process, in 0…size − 1.
        size (int): Number of processes.
        gather (Callable): Takes an array (n, …), what this process found for its n
            rows, and returns that of all processes, concatenated in the order of the
            ranks, in every process. All of them call it at the same points.
        local_size (int): Number of the processes on this machine, which share its
            cores. Defaults to 1.

    Example:
        >>> share = Share(rank=1, size=4, gather=lambda rows: rows)
        >>> share.rows(10)
        (2, 5)
    """

    rank: int
    size: int
    gather: Callable[[np.ndarray], np.ndarray]
    local_size: int = 1

    def rows(self, n_rows: int) -> tuple[int, int]:
        """Return the first row of this process and the one after its last.

        Args:
            n_rows (int): Number of all rows.

        Returns:
            tuple[int, int]: Both in 0…n_rows; equal where there are too few rows.
        """
        return self.rank * n_rows // self.size, (self.rank + 1) * n_rows // self.size


ALONE = Share(rank=0, size=1, gather=lambda rows: rows)
