"""Computation in full float32, whatever precision the run has set."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def full_precision(device_type: str) -> Iterator[None]:
    """Compute float32 products and convolutions without TF32 and autocast.

    TF32 keeps 10 of the 23 bits of a float32 number. This is enough for a network, but
    not for the order of neighbours, or for vectors that are updated thousands of times.

    Args:
        device_type (str): Device type of the tensors, ``'cuda'`` or ``'cpu'``.

    Yields:
        None: Nothing; what was set before is set again in the end.

    Example:
        >>> with full_precision('cuda'):
        ...     products = queries @ features.T
    """
    import torch  # here, for this package is used without it, too

    products: Any = torch.backends.cuda.matmul
    convolutions: Any = torch.backends.cudnn
    # PyTorch ≥ 2.9 has a new name, and the old one cannot be read once the new is set.
    renamed = hasattr(products, 'fp32_precision')
    name, exact = ('fp32_precision', 'ieee') if renamed else ('allow_tf32', False)
    convolutions = convolutions.conv if renamed else convolutions
    settings = [(each, getattr(each, name)) for each in (products, convolutions)]
    for each, _ in settings:
        setattr(each, name, exact)
    try:
        with torch.autocast(device_type, enabled=False):
            yield
    finally:
        for each, before in settings:
            setattr(each, name, before)
