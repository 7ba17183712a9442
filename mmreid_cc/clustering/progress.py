"""Progress bars in a terminal."""

import os
import sys
from collections.abc import Iterable
from typing import TypeVar

Step = TypeVar('Step')


def track(steps: Iterable[Step], stage: str, total: int) -> Iterable[Step]:
    """Show a bar with the name of the stage and the time left while iterating.

    Nothing is shown, and no time is spent, if standard error is not a terminal, or in
    processes of distributed training other than the first.

    Args:
        steps (Iterable): What to iterate over.
        stage (str): What is going on, in a word or two.
        total (int): Number of steps.

    Returns:
        Iterable: The same steps.

    Example:
        >>> list(track(range(3), 'neighbours', total=3))
        [0, 1, 2]
    """
    if not sys.stderr.isatty() or os.environ.get('RANK', '0') != '0':
        return steps
    from rich.console import Console
    from rich.progress import track as track_with_rich

    console = Console(stderr=True)
    return track_with_rich(steps, stage, total, console=console, transient=True)
