"""Matrix products in full float32, whatever precision the run has set."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def full_precision(device_type: str) -> Iterator[None]:
    """Multiply float32 matrices in float32: without TF32, and without autocast.

    TF32 keeps 10 of the 23 bits of a float32 number. This is enough for a network, but
    not for the order of neighbours, or for vectors that are updated thousands of times.

    Args:
        device_type (str): Device type of the matrices, ``'cuda'`` or ``'cpu'``.

    Yields:
        None: Nothing; what was set before is set again in the end.

    Example:
        >>> with full_precision('cuda'):
        ...     products = queries @ features.T
    """
    import torch  # here, for this package is used without it, too

    settings: Any = torch.backends.cuda.matmul
    # PyTorch ≥ 2.9 has a new name, and the old one cannot be read once the new is set.
    name = 'fp32_precision' if hasattr(settings, 'fp32_precision') else 'allow_tf32'
    before = getattr(settings, name)
    setattr(settings, name, 'ieee' if name == 'fp32_precision' else False)
    try:
        with torch.autocast(device_type, enabled=False):
            yield
    finally:
        setattr(settings, name, before)
