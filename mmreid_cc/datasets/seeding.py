"""Random draws that depend on seed, epoch and position, but not on processes."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


class SeededIndex(int):
    """The index of an image, with the seed of its augmentation.

    A sampler yields it, a loader passes it to any free process, and
    :class:`ReIDDataset` seeds the generators with it before it runs the pipeline. An
    image is therefore augmented in the same way for any number of processes, and
    differently at each draw.

    Args:
        index (int): Index of the image.
        seed (tuple[int, ...]): Non-negative numbers, e.g. seed, epoch and the position
            of the draw in the epoch.

    Example:
        >>> index = SeededIndex(7, seed=(0, 3, 12))
        >>> index + 1, index.seed
        (8, (0, 3, 12))
    """

    seed: tuple[int, ...]

    def __new__(cls, index: int, seed: tuple[int, ...]) -> 'SeededIndex':
        """Make an integer that carries its seed."""
        self = super().__new__(cls, index)
        self.seed = seed
        return self

    def __getnewargs__(self) -> tuple[int, tuple[int, ...]]:  # type: ignore[override]
        """Keep the seed when the index is sent to another process."""
        return int(self), self.seed


@contextmanager
def seeded(seed: tuple[int, ...]) -> Iterator[None]:
    """Seed the generators on the CPU, and restore their state afterwards.

    Those of Python, NumPy and PyTorch, which transforms draw from.

    Args:
        seed (tuple[int, ...]): Non-negative numbers.

    Yields:
        None: Nothing.

    Example:
        >>> with seeded((0, 1)):
        ...     first = np.random.rand()
        >>> with seeded((0, 1)):
        ...     assert np.random.rand() == first
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    numbers = independent_seeds(seed)
    random.seed(numbers[0])
    np.random.seed(numbers[1])
    torch.default_generator.manual_seed(numbers[2])
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def independent_seeds(seed: tuple[int, ...]) -> tuple[int, int, int]:
    """Derive three seeds that are independent of each other and of other keys.

    Args:
        seed (tuple[int, ...]): Non-negative numbers.

    Returns:
        tuple[int, int, int]: Below 2³², for Python, NumPy and PyTorch.
    """
    python, numpy, pytorch = np.random.SeedSequence(seed).generate_state(3).tolist()
    return python, numpy, pytorch
