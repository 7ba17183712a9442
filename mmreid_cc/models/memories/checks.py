"""Checks of arguments that several memories take."""

from torch import Tensor

from .vector_bank import UPDATES


def check_vectors(name: str, vectors: Tensor, labels: Tensor | None) -> None:
    """Check that there are vectors, and one for each label.

    Args:
        name (str): The name of a vector, for the error.
        vectors (Tensor): Shape (C, D).
        labels (Tensor, optional): Shape (N,), int64.

    Raises:
        ValueError: If there are none, or a label has none.
    """
    if vectors.ndim != 2 or len(vectors) == 0:
        raise ValueError(
            f'`reset` needs at least one {name}, got shape {tuple(vectors.shape)}.'
        )
    if labels is not None and len(labels) and labels.max() >= len(vectors):
        raise ValueError(
            f'Label {labels.max().item()} has no {name}: there are {len(vectors)}.'
        )


def check_arguments(
    momentum: float, temperature: float, update: str = 'momentum', prefix: str = ''
) -> None:
    """Check the arguments that memories have in common.

    Args:
        momentum (float): In [0, 1].
        temperature (float): Positive.
        update (str): A name in ``UPDATES``. Defaults to ``'momentum'``.
        prefix (str): Prefix of their names, for the error. Defaults to none.

    Raises:
        ValueError: If one is out of range.
    """
    if not 0 <= momentum <= 1:
        raise ValueError(f'{prefix}momentum must be in [0, 1], not {momentum}')
    if temperature <= 0:
        raise ValueError(f'{prefix}temperature must be positive, not {temperature}')
    if update not in UPDATES:
        raise ValueError(f'{prefix}update must be in {sorted(UPDATES)}, not {update!r}')


def check_shares(**shares: float) -> None:
    """Check that numbers lie in [0, 1].

    Args:
        **shares (float): The numbers, by the name of the argument.

    Raises:
        ValueError: If a number is outside [0, 1].
    """
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f'{name} must be in [0, 1], not {share}')
