"""Decoded images in memory that all processes of a loader share."""

import mmap
import os
import uuid
from typing import Any

import numpy as np
from mmcv.transforms import Resize
from mmengine.dataset import Compose

from .transforms import LoadReIDImage


class ImageCache:
    """N images of one size, each stored by whichever process decodes it first.

    The memory belongs to no file, so there is nothing to clean up: it is freed when the
    last process that uses it ends, in whatever way. Pages are allocated when images are
    stored. Forked processes share it, and so do those on this machine that get it by
    pickling while the process that pickled it exists.

    Args:
        count (int): Number of images, N.
        size (tuple[int, int]): Height and width.

    Raises:
        OSError: If the system has no such memory (Linux has), or if a process that gets
            it by pickling cannot reach it.

    Example:
        >>> cache = ImageCache(12936, (256, 128))
        >>> cache.put(7, image, original_size=(128, 64))
        >>> cache.get(7)[1]
        (128, 64)
    """

    def __init__(self, count: int, size: tuple[int, int]) -> None:
        if not hasattr(os, 'memfd_create'):
            raise OSError('This system has no anonymous files in memory (memfd).')
        self.count, self.size = count, size
        self._name = f'mmreid_cc images {uuid.uuid4().hex}'
        self._file = os.memfd_create(self._name)
        os.ftruncate(self._file, self.nbytes(count, size))
        self._map()

    @staticmethod
    def nbytes(count: int, size: tuple[int, int]) -> int:
        """Return the bytes of so many images.

        Args:
            count (int): Number of images.
            size (tuple[int, int]): Height and width.

        Returns:
            int: Three for each pixel, and nine for each image.
        """
        return count * (size[0] * size[1] * 3 + 9)

    def _map(self) -> None:
        memory = mmap.mmap(self._file, self.nbytes(self.count, self.size))
        pixels = self.count * self.size[0] * self.size[1] * 3
        self._images = np.frombuffer(memory, np.uint8, pixels).reshape(
            self.count, *self.size, 3
        )
        rest = np.frombuffer(memory, np.uint8, offset=pixels)
        self._original_sizes = rest[: 8 * self.count].reshape(self.count, 8)
        self._stored = rest[8 * self.count :]

    def get(self, index: int) -> tuple[np.ndarray, tuple[int, int]] | None:
        """Return an image, and the height and width in its file.

        Args:
            index (int): Index of the image, below N.

        Returns:
            tuple[np.ndarray, tuple[int, int]] | None: A copy of shape (H, W, 3), uint8;
            None if the image is not stored yet.
        """
        if not self._stored[index]:
            return None
        height, width = self._original_sizes[index].copy().view(np.int32).tolist()
        return self._images[index].copy(), (height, width)

    def put(
        self, index: int, image: np.ndarray, original_size: tuple[int, int]
    ) -> None:
        """Store an image.

        Args:
            index (int): Index of the image, below N.
            image (np.ndarray): Shape (H, W, 3), uint8.
            original_size (tuple[int, int]): Height and width of its file.
        """
        self._images[index] = image
        self._original_sizes[index] = np.array(original_size, np.int32).view(np.uint8)
        self._stored[index] = True  # last: only now others read it

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to share the memory."""
        file = f'/proc/{os.getpid()}/fd/{self._file}'
        return dict(count=self.count, size=self.size, name=self._name, file=file)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Share the memory of the process that pickled this."""
        self.count, self.size = state['count'], state['size']
        self._name, file = state['name'], state['file']
        # In another container, the number may be that of another process.
        if self._name not in os.readlink(file):
            raise OSError(f'{file} does not hold the images of another process.')
        self._file = os.open(file, os.O_RDWR)
        self._map()

    def __del__(self) -> None:
        """Close the file; the memory exists as long as it is mapped."""
        if hasattr(self, '_file'):
            os.close(self._file)


def fixed_size(pipeline: Compose) -> tuple[int, int] | None:
    """Return the size of all images in a pipeline before the first random draw.

    Args:
        pipeline (Compose): Pipeline of a data set.

    Returns:
        tuple[int, int] | None: Height and width; None if the pipeline does not begin
        with ``LoadReIDImage`` and a ``Resize`` to a given size.
    """
    if len(pipeline.transforms) < 2:
        return None
    load, resize = pipeline.transforms[:2]
    fits = type(load) is LoadReIDImage and type(resize) is Resize
    if not fits or resize.scale is None or resize.keep_ratio:
        return None
    return resize.scale[1], resize.scale[0]
