"""Run the tasks of a stage, in this process or elsewhere, and measure their cost."""

import os
import resource
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from mmreid_cc.clustering.parallel import cores_shared_by, n_threads
from mmreid_cc.clustering.progress import track

Task = Callable[[Any, int], Any]  # of the job and the number of a group or batch
_IO = Path('/proc/self/io')  # of Linux


@dataclass
class Cost:
    """The cost of a stage.

    Attributes:
        seconds (float): Elapsed time.
        cpu_seconds (float): CPU time of all tasks.
        peak_mb (float): The largest memory of a worker since its start, in 10⁶ bytes,
            including libraries.
        read_mb (float): Bytes read from files, in 10⁶; 0 on systems other than Linux.
        written_mb (float): Bytes written to files, in 10⁶; 0 on systems other than
            Linux.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    read_mb: float = 0.0
    written_mb: float = 0.0

    def add(self, other: 'Cost') -> None:
        """Add the cost of a task; of two peaks, the higher one is kept."""
        self.cpu_seconds += other.cpu_seconds
        self.peak_mb = max(self.peak_mb, other.peak_mb)
        self.read_mb += other.read_mb
        self.written_mb += other.written_mb


class Tasks(ABC):
    """Base class of classes that run tasks.

    Attributes:
        costs (dict[str, Cost]): The cost of each stage.
    """

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = {}

    @property
    @abstractmethod
    def workers(self) -> int:
        """The number of tasks that run at the same time."""

    @abstractmethod
    def results(
        self, task: Task, job: Any, numbers: Sequence[int]
    ) -> Iterator[tuple[int, Any, Cost]]:
        """Run tasks, in any order.

        Args:
            task (Callable): A function of the job and a number.
            job (Any): What all tasks know.
            numbers (Sequence[int]): One for each task.

        Yields:
            tuple[int, Any, Cost]: The number of a task, its result and its cost.
        """

    def run(self, stage: str, task: Task, job: Any, numbers: Sequence[int]) -> list:
        """Run the tasks of a stage.

        Args:
            stage (str): Its name.
            task (Callable): A function of the job and a number.
            job (Any): What all tasks know.
            numbers (Sequence[int]): One for each task.

        Returns:
            list: Their results, in the order of the numbers.
        """
        with self.measured(stage) as cost:
            found = {}
            results = self.results(task, job, numbers)
            for number, result, part in track(results, stage, len(numbers)):
                found[number] = result
                cost.add(part)
        return [found[number] for number in numbers]

    @contextmanager
    def measured(self, stage: str) -> Iterator[Cost]:
        """Measure the elapsed time of what this process does for a stage.

        Args:
            stage (str): Its name.

        Yields:
            Cost: The cost of the stage, to which more may be added.
        """
        cost = self.costs.setdefault(stage, Cost())
        start = time.perf_counter()
        yield cost
        cost.seconds += time.perf_counter() - start


class LocalTasks(Tasks):
    """Runs tasks one after the other in this process, on one core.

    Example:
        >>> LocalTasks().run('double', lambda job, number: job * number, 2, [1, 3])
        [2, 6]
    """

    workers = 1

    def results(
        self, task: Task, job: Any, numbers: Sequence[int]
    ) -> Iterator[tuple[int, Any, Cost]]:
        """Run tasks, see :meth:`Tasks.results`."""
        for number in numbers:
            yield number, *measure_task(task, job, number)


def measure_task(task: Task, job: Any, number: int) -> tuple[Any, Cost]:
    """Run a task on one core.

    Args:
        task (Callable): A function of the job and a number.
        job (Any): What all tasks know.
        number (int): The number of the task.

    Returns:
        tuple[Any, Cost]: Its result and its cost.

    Example:
        >>> measure_task(lambda job, number: job + number, 1, 2)[0]
        3
    """
    clock, cpu, read, written = time.perf_counter(), time.process_time(), *_moved()
    with threadpool_limits(1), cores_shared_by(n_threads()):
        result = task(job, number)
    cost = Cost(time.perf_counter() - clock, time.process_time() - cpu)
    unit = 1 if os.uname().sysname == 'Darwin' else 1024  # of ru_maxrss, in bytes
    cost.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    now_read, now_written = _moved()
    cost.read_mb, cost.written_mb = now_read - read, now_written - written
    return result, cost


def _moved() -> tuple[float, float]:
    """Return how much this process has read and written, in 10⁶ bytes."""
    if not _IO.exists():
        return 0.0, 0.0
    counts = dict(line.split(': ') for line in _IO.read_text().splitlines())
    return int(counts['rchar']) / 1e6, int(counts['wchar']) / 1e6
