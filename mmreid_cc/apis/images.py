"""The forms of images that are accepted: files, folders, arrays, Pillow images."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from mmreid_cc.datasets.crops import IMAGE_SUFFIXES, list_images
from mmreid_cc.datasets.decoding import to_rgb

OneImage = str | os.PathLike | np.ndarray | Image.Image
Images = OneImage | Iterable[OneImage]


def each_image(images: Images) -> Iterator[str | np.ndarray | Image.Image]:
    """Iterate over images without reading them.

    Args:
        images (Images): One image or an iterable of them, each

            - a path or URL of an image,
            - a folder, which stands for all images below it, sorted by path,
            - an array (H, W, 3) uint8 in BGR order, as mmcv and OpenCV have it,
            - a Pillow image of any mode.
         An array (N, H, W, 3) therefore holds N images, and an array of strings holds
            paths.

    Yields:
        str | np.ndarray | Image.Image: A path, an array or a Pillow image.

    Raises:
        ValueError: If a folder holds no image.
        TypeError: If an image has another type; the error names it.

    Example:
        >>> list(each_image(['0002_c1s1_000451_03.jpg']))
        ['0002_c1s1_000451_03.jpg']
    """
    is_one = isinstance(images, (str, os.PathLike, Image.Image)) or (
        isinstance(images, np.ndarray) and images.ndim == 3
    )
    if not is_one and not isinstance(images, Iterable):
        raise TypeError(_refusal(0, images))
    several: Iterable[Any] = [images] if is_one else images  # type: ignore[assignment]  # checked above
    for index, image in enumerate(several):
        if isinstance(image, (str, os.PathLike)):
            yield from _files(os.fspath(image))
        elif isinstance(image, Image.Image) or _is_bgr(image):
            yield image
        else:
            raise TypeError(_refusal(index, image))


def name_of(image: str | np.ndarray | Image.Image) -> str:
    """Return the path of an image.

    Args:
        image (str | np.ndarray | Image.Image): An image from :func:`each_image`.

    Returns:
        str: ``''`` for an array, and for a Pillow image that was not opened by path.

    Example:
        >>> name_of(np.zeros((128, 64, 3), np.uint8))
        ''
    """
    if isinstance(image, str):
        return image
    return os.fsdecode(getattr(image, 'filename', ''))


def to_bgr(image: Image.Image) -> np.ndarray:
    """Convert a Pillow image to pixels, as if it were read from a file.

    Args:
        image (Image.Image): Image of any mode; turned as its EXIF says.

    Returns:
        np.ndarray: (H, W, 3) uint8 in BGR order.

    Raises:
        ValueError: If its pixels have no known range (32-bit integers and floats).
        OSError: If its file is broken.

    Example:
        >>> to_bgr(Image.new('RGB', (1, 1), 'red'))
        array([[[  0,   0, 255]]], dtype=uint8)
    """
    return np.array(to_rgb(ImageOps.exif_transpose(image)))[:, :, ::-1]


def _files(path: str) -> Iterator[str]:
    """Yield the images of a folder, or the file itself."""
    if not os.path.isdir(path):
        yield path
        return
    found = list_images(Path(path))
    if not found:
        raise ValueError(
            f'The folder {path} holds no image: no file that ends in '
            f'{", ".join(IMAGE_SUFFIXES)}.'
        )
    yield from map(str, found)


def _is_bgr(image: Any) -> bool:
    return (
        isinstance(image, np.ndarray)
        and image.dtype == np.uint8
        and image.ndim == 3
        and image.shape[2] == 3
        and image.size > 0
    )


def _refusal(index: int, image: Any) -> str:
    what = type(image).__name__
    if hasattr(image, 'shape') and hasattr(image, 'dtype'):
        what += f' of shape {tuple(image.shape)} and {image.dtype}'
    return (
        f'Image {index} is given as {what}. Give a path, a folder, an array (H, W, 3) '
        'uint8 in BGR order, a Pillow image, or many of them.'
    )
