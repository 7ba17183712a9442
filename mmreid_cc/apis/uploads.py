"""Checks of uploaded images: known types only, and not too large."""

import os
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from .images import to_bgr

UPLOAD_FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP')
UPLOAD_SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp')
MAX_PIXELS = 4096 * 4096  # 48 MB when decoded


def read_upload(file: str | os.PathLike) -> np.ndarray:
    """Decode an uploaded image, whose name may not fit its content.

    The format is determined by the content, and no decoder of other formats is tried.
    The size is checked before the pixels are decoded.

    Args:
        file (str | os.PathLike): Path of the file.

    Returns:
        np.ndarray: (H, W, 3) uint8 in BGR order, upright; of several frames the first.

    Raises:
        ValueError: If it is no image of ``UPLOAD_FORMATS``, has more than
            ``MAX_PIXELS`` pixels, or is broken. The text is for the person who sent it,
            and contains no path.

    Example:
        >>> read_upload('upload.jpg').shape
        (128, 64, 3)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            image = Image.open(file, formats=UPLOAD_FORMATS)
    except UnidentifiedImageError:
        raise ValueError(
            'This file is not an image that can be read here, whatever its name. '
            f'Send one of these types: {", ".join(UPLOAD_FORMATS)}.'
        ) from None
    except Image.DecompressionBombError:
        raise ValueError(_too_large('This image has too many pixels')) from None
    except Exception as error:  # Pillow raises many types on broken files
        raise ValueError(_broken(error)) from error
    with image:
        if image.width * image.height > MAX_PIXELS:
            size = f'This image has {image.width} × {image.height} pixels'
            raise ValueError(_too_large(size))
        try:
            image.load()
            return to_bgr(image)
        except Exception as error:  # as above
            raise ValueError(_broken(error)) from error


def _too_large(what: str) -> str:
    return (
        f'{what}; at most {MAX_PIXELS // 2**20} million are allowed. Send the crop of '
        'one person, not the whole picture.'
    )


def _broken(error: Exception) -> str:
    return (
        f'This image is broken or incomplete ({type(error).__name__}). Open it in a '
        'viewer, save it again, and send the new file.'
    )
