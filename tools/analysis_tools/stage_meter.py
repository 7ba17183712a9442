"""Measurement of the seconds and the peak memory of a stage."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Measurement:
    """The costs of a stage.

    Args:
        seconds: the elapsed time.
        cpu_seconds: the CPU time of all threads, user and system.
        peak_mb: the most memory that the process held during the stage, in 10⁶ bytes.
        added_mb: the same, above what it held before the stage.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    added_mb: float = 0.0

    def include(self, part: 'Measurement') -> None:
        """Add a part of the same stage: times are added, and the higher peak is kept.

        Args:
            part: the part, which was measured on its own.
        """
        self.seconds += part.seconds
        self.cpu_seconds += part.cpu_seconds
        self.peak_mb = max(self.peak_mb, part.peak_mb)
        self.added_mb = max(self.added_mb, part.added_mb)


@contextmanager
def measure() -> Iterator[Measurement]:
    """Measure the body of a ``with`` statement; the result is complete at its end.

    Linux only: the peak is that of ``/proc/self/status``, reset before.

    Yields:
        The measurement, filled in at the end.

    Example:
        >>> with measure() as cost:
        ...     block = bytes(50_000_000)
        >>> cost.added_mb > 40
        True
    """
    cost = Measurement()
    Path('/proc/self/clear_refs').write_text('5')  # resets VmHWM
    held = _status_mb('VmRSS')
    cpu, start = _cpu_seconds(), time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - start
    cost.cpu_seconds = _cpu_seconds() - cpu
    cost.peak_mb = _status_mb('VmHWM')
    cost.added_mb = max(0.0, cost.peak_mb - held)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _status_mb(field: str) -> float:
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(f'{field}:'):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f'/proc/self/status has no {field}: Linux is needed.')
