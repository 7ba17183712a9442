"""The decoding of image files, for all modes, orientations and formats."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps


def decode_image(file: str | Path | BinaryIO) -> Image.Image:
    """Decode an image by Pillow, upright and in 8 bits of red, green and blue.

    - EXIF: turned and mirrored as its orientation says, as viewers show it.
    - Grey, black and white, CMYK, palette: converted to RGB as Pillow does.
    - 16 bits: the upper 8 of them. (Pillow alone clips grey images at 255, so that
      nearly all pixels become white.)
    - Transparency: left out; the colours beneath it count.
    - Several frames: the first.

    Args:
        file (str | Path | BinaryIO): The file, or an open one.

    Returns:
        Image.Image: Of mode ``'RGB'``.

    Raises:
        ValueError: If the image is larger than ``PIL.Image.MAX_IMAGE_PIXELS``, or its
            values have no known range (32-bit integers and floats).
        OSError: If the file is missing, broken or no image; on badly broken files
            Pillow raises other types, too.

    Example:
        >>> decode_image('0002_c1s1_000451_03.jpg').size
        (64, 128)
    """
    with Image.open(file) as image:
        # Pillow itself warns here, and refuses twice as many.
        limit = Image.MAX_IMAGE_PIXELS
        if limit is not None and image.width * image.height > limit:
            raise ValueError(
                f'{image.width} × {image.height} pixels are more than the {limit} that '
                'are allowed (PIL.Image.MAX_IMAGE_PIXELS), and too many for a crop'
            )
        image.load()
        return to_rgb(ImageOps.exif_transpose(image))


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode.

    Args:
        image (Image.Image): 16-bit greys lose their lower 8 bits, transparency is
            dropped.

    Returns:
        Image.Image: 8 bits of red, green and blue.

    Raises:
        ValueError: If its pixels have no known range (32-bit integers and floats).
    """
    if image.mode.startswith('I;16'):
        upper = (np.asarray(image) >> 8).astype(np.uint8)
        return Image.fromarray(upper).convert('RGB')
    if image.mode in ('I', 'F'):
        raise ValueError(
            f'its pixels are 32-bit numbers (mode {image.mode!r}), whose range is not '
            'known; convert it to 8 or 16 bits'
        )
    if image.mode == 'P':
        image = image.convert('RGBA')  # Pillow warns if transparency is lost in one go
    return image.convert('RGB')
