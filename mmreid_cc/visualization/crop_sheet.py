"""Sheets of crops: titled sections of rows, each crop with a frame and a caption."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from mmengine.fileio import get
from PIL import Image

from mmreid_cc.datasets.decoding import decode_image

from .colors import GREY

# In pixels at 100 dots per inch, which is the unit of the sheet's only axes.
HEIGHT, WIDTHS = 128, (68, 160)  # of a crop; least and most of its cell's width
GAP, CAPTION, TITLE, MARGIN = 12, 30, 34, 12
TEXT = 118  # width of the text at the beginning of a row
POINTS = 7.5  # size of captions


@dataclass(frozen=True)
class FramedCrop:
    """An image on a sheet.

    Args:
        path (str): Path of the image; any size, it is shown 128 pixels high.
        caption (str): One or two short lines below it.
        color (str): Colour of frame and caption. Defaults to grey.
        linestyle (str): Line style of the frame, ``'-'``, ``'--'`` or ``':'``: who does
            not see the colour sees this. Defaults to ``'-'``.
    """

    path: str
    caption: str
    color: str = GREY
    linestyle: str = '-'


class CropSheet:
    """Rows of crops, drawn one below the other.

    Example:
        >>> sheet = CropSheet()
        >>> sheet.add_title('Largest clusters')
        >>> sheet.add_row('cluster 3', [FramedCrop('0001_c1.jpg', '0.93')])
        >>> sheet.figure()
        <Figure size ...>
    """

    def __init__(self) -> None:
        self.lines: list[tuple[str, Sequence[FramedCrop | None] | None]] = []

    def add_title(self, text: str) -> None:
        """Start a section with a title.

        Args:
            text (str): One line.
        """
        self.lines.append((text, None))

    def add_row(self, text: str, crops: Sequence[FramedCrop | None]) -> None:
        """Add a row.

        Args:
            text (str): Some short lines that stand before the crops.
            crops (Sequence[FramedCrop | None]): From left to right; None leaves a
                place empty.
        """
        self.lines.append((text, crops))

    def figure(self) -> Figure:
        """Draw the sheet.

        Returns:
            Figure: As large as its rows need.

        Raises:
            ValueError: If there is no crop on it.
            OSError: If an image cannot be read.
        """
        rows = [crops for _, crops in self.lines if crops is not None]
        if not any(rows):
            raise ValueError('There is no image to draw on the sheet.')
        images = {
            crop.path: read_crop(crop.path) for row in rows for crop in row if crop
        }
        step = max(WIDTHS[0], *(image.shape[1] for image in images.values())) + GAP
        widest = max(len(row) for row in rows) * step
        longest = max(len(text) for text, crops in self.lines if crops is None or crops)
        width = 2 * MARGIN + TEXT + max(widest, min(7 * longest, 8 * step))
        row_height = HEIGHT + CAPTION + GAP
        heights = [TITLE if crops is None else row_height for _, crops in self.lines]
        height = 2 * MARGIN + sum(heights)
        figure = Figure(figsize=(width / 100, height / 100), dpi=100)
        ax = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        ax.axis('off')
        top = MARGIN
        for (text, crops), used in zip(self.lines, heights, strict=True):
            if crops is None:
                ax.text(MARGIN, top + TITLE / 2, text, fontsize=10, weight='bold')
            else:
                ax.text(MARGIN, top + 2, text, fontsize=8, va='top', linespacing=1.4)
                for index, crop in enumerate(crops):
                    if crop is None:
                        continue
                    left = MARGIN + TEXT + index * step
                    _draw(ax, crop, images[crop.path], left, top, step - GAP)
            top += used
        return figure


def read_crop(path: str) -> np.ndarray:
    """Read an image at the size that it has on a sheet.

    Args:
        path (str): Path of the image, or its address in a storage that MMEngine can
            read.

    Returns:
        np.ndarray: (H, W, 3) uint8, H at most 128, W at most 160.

    Raises:
        OSError: If it cannot be read.
    """
    try:
        image = decode_image(BytesIO(get(path)))
    except Exception as error:  # Pillow raises many types on broken files
        raise OSError(
            f'{path} cannot be read as an image ({type(error).__name__}: {error}).'
        ) from error
    scale = min(HEIGHT / image.height, WIDTHS[1] / image.width)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))


def _draw(
    ax: Axes, crop: FramedCrop, image: np.ndarray, left: float, top: float, cell: int
) -> None:
    """Draw one crop, in the middle of its cell."""
    height, width = image.shape[:2]
    left += (cell - width) / 2
    bottom = top + height
    ax.imshow(image, extent=(left, left + width, bottom, top), aspect='auto')
    ax.add_patch(
        Rectangle(
            (left - 2, top - 2),
            width + 4,
            height + 4,
            fill=False,
            color=crop.color,
            linestyle=crop.linestyle,
            linewidth=2.5,
        )
    )
    ax.text(
        left + width / 2,
        bottom + 5,
        crop.caption,
        color=crop.color,
        fontsize=POINTS,
        ha='center',
        va='top',
        linespacing=1.2,
    )
