"""Start Ray on this machine, or connect to a cluster, and leave it at the end."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

LOCAL = 'local'  # the address of workers on this machine


def check_ray() -> None:
    """Check that Ray and Parquet can be used.

    Raises:
        ImportError: If one of them is missing; it says how to install it.

    Example:
        >>> check_ray()
    """
    for module in ('ray', 'pyarrow'):
        if find_spec(module) is None:
            raise ImportError(
                f'--ray needs {module}, which is not installed: '
                '`pip install "mmreid-cc[ray]"`. Without --ray one process does all '
                'the work.'
            )


@contextmanager
def ray_session(address: str = LOCAL, cores: int | None = None) -> Iterator[None]:
    """Use Ray in a ``with`` statement, or the Ray that this process uses already.

    Args:
        address (str): Address of a cluster, as ``ray.init`` takes it, or ``'local'``.
        cores (int, optional): Cores that Ray uses on this machine. Defaults to None:
            all. A cluster knows its own.

    Yields:
        None: Nothing.

    Example:
        >>> with ray_session(cores=2):
        ...     ray.cluster_resources()['CPU']
        2.0
    """
    import ray

    if ray.is_initialized():
        yield
        return
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # nothing is sent anywhere
    local = address == LOCAL
    ray.init(
        address=address,
        include_dashboard=False if local else None,
        num_cpus=cores if local else None,
        logging_level=logging.WARNING,
    )
    try:
        yield
    finally:
        ray.shutdown()
