"""Run tasks on the workers of Ray: on the cores of one machine, or on a cluster."""

import errno
from collections.abc import Iterator, Sequence
from typing import Any

from mmreid_cc.clustering.input_checks import check_count
from mmreid_cc.ray_session import LOCAL, check_ray, ray_session

from .tasks import Cost, Task, Tasks, measure_task

_MOST_DEATHS = 5  # of the workers of a task; then its memory is too small


class RayTasks(Tasks):
    """Runs tasks on the workers of Ray, each on one core.

    If a worker is killed, its task is run again. Use this class in a ``with``
    statement, which starts Ray or connects to it, and disconnects at the end.

    Args:
        address (str): The address of a cluster, as ``ray.init`` takes it, or
            ``'local'`` for workers on this machine. Defaults to ``'local'``.
        workers (int, optional): The number of tasks that run at the same time. Defaults
            to None: one for each core of the cluster.

    Raises:
        ImportError: If Ray or pyarrow is missing.
        ValueError: If the number of workers is less than 1.

    Example:
        >>> with RayTasks(workers=2) as tasks:  # doctest: +SKIP
        ...     labels = cluster_files(files, 'work', tasks)
    """

    def __init__(self, address: str = LOCAL, workers: int | None = None) -> None:
        super().__init__()
        check_ray()
        if workers is not None:
            check_count('workers', workers)
        self._workers = workers
        self._session = ray_session(address, workers)

    def __enter__(self) -> 'RayTasks':
        self._session.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._session.__exit__(*error)

    @property
    def workers(self) -> int:
        """The number of tasks that run at the same time."""
        import ray

        return self._workers or max(1, int(ray.cluster_resources().get('CPU', 1)))

    def results(
        self, task: Task, job: Any, numbers: Sequence[int]
    ) -> Iterator[tuple[int, Any, Cost]]:
        """Run tasks, see :meth:`Tasks.results`."""
        try:
            yield from self._results(task, job, numbers)
        except Exception as error:
            found = explained(error)
            if found is error:
                raise
            raise found from error

    def _results(
        self, task: Task, job: Any, numbers: Sequence[int]
    ) -> Iterator[tuple[int, Any, Cost]]:
        import ray

        remote = ray.remote(num_cpus=1, max_retries=_MOST_DEATHS)(measure_task)
        named = remote.options(name=getattr(task, 'func', task).__name__)
        shared, given = ray.put(job), ray.put(task)
        waiting = list(reversed(numbers))
        running: dict[Any, int] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    number = waiting.pop()
                    running[named.remote(given, shared, number)] = number
                for done in ray.wait(list(running))[0]:
                    number = running.pop(done)
                    yield number, *ray.get(done)
        finally:
            for left in running:
                ray.cancel(left, force=False)


def explained(error: Exception) -> Exception:
    """Turn an error of Ray into one that says what to do.

    Args:
        error (Exception): What Ray has raised.

    Returns:
        Exception: What the task itself has raised, if it has; ``MemoryError`` if
        workers were killed again and again; ``OSError`` if Ray has no room left.

    Example:
        >>> import ray
        >>> explained(ray.exceptions.OutOfDiskError()).errno == errno.ENOSPC
        True
    """
    from ray import exceptions

    if isinstance(error, exceptions.RayTaskError):
        error = error.cause or error
    if isinstance(error, exceptions.WorkerCrashedError | exceptions.OutOfMemoryError):
        return MemoryError(
            f'A worker was killed {_MOST_DEATHS + 1} times in the same task: mostly '
            'its machine has too little memory. Take fewer --workers, and start '
            'again; finished parts are kept.'
        )
    if isinstance(error, exceptions.OutOfDiskError | exceptions.ObjectStoreFullError):
        return OSError(
            errno.ENOSPC,
            'Ray has no room left, neither in its shared memory nor in its temporary '
            'folder, where objects spill to. Give it more (`ray start '
            '--object-store-memory … --temp-dir …`), and start again; finished parts '
            'are kept',
        )
    return error
