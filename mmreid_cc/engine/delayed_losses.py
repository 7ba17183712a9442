"""Numbers from a GPU that are read when they are ready, without waiting earlier."""

import torch
from torch import Tensor


class LateNumbers:
    """Tensors on their way to the CPU.

    The copy is queued behind the work that computes the numbers. Reading them at once
    waits for all of this work, after which the GPU is idle until more is queued.
    Reading them one iteration later waits for work that has usually ended.

    Args:
        tensors (dict[str, Tensor]): By name; on any device.

    Example:
        >>> LateNumbers({'loss': torch.tensor(0.5)}).read()
        {'loss': tensor(0.5000)}
    """

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        # PyTorch copies into pinned memory, or the copy would be waited for.
        self._copies = {
            name: tensor.detach().to('cpu', non_blocking=True)
            for name, tensor in tensors.items()
        }
        self._copied = None
        if any_on_gpu(tensors):
            self._copied = torch.cuda.Event()
            self._copied.record()

    def read(self) -> dict[str, Tensor]:
        """Wait until the numbers have arrived, and return them.

        Returns:
            dict[str, Tensor]: The numbers, on the CPU.
        """
        if self._copied is not None:
            self._copied.synchronize()
        return self._copies


def any_on_gpu(tensors: dict[str, Tensor]) -> bool:
    """Return whether a tensor is on a GPU.

    Args:
        tensors (dict[str, Tensor]): By name.

    Returns:
        bool: True if one is on a GPU.

    Example:
        >>> any_on_gpu({'loss': torch.tensor(0.5)})
        False
    """
    return any(tensor.is_cuda for tensor in tensors.values())
