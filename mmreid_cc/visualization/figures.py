"""Conversion of figures to files, bytes and pixels."""

from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmreid_cc.atomic_writing import replacing

FORMATS = ('png', 'svg', 'pdf')
DPI = 150  # of a file; a screen's is about 100


def save_figure(figure: Figure, path: str | Path) -> None:
    """Save a figure completely or not at all.

    Args:
        figure (Figure): The figure.
        path (str | Path): PNG, SVG or PDF by its suffix; its folder is created.

    Raises:
        ValueError: If the suffix is another.

    Example:
        >>> save_figure(figure, 'work_dirs/demo/curves.svg')
    """
    path = Path(path)
    content = figure_bytes(figure, check_format(path))
    with replacing(path) as part:
        part.write_bytes(content)


def check_format(path: str | Path) -> str:
    """Check the format of a picture by its name, before hours are spent on it.

    Args:
        path (str | Path): Path of the file.

    Returns:
        str: One of :data:`FORMATS`.

    Raises:
        ValueError: If it is none of them.

    Example:
        >>> check_format('curves.SVG')
        'svg'
    """
    suffix = Path(path).suffix.lower().removeprefix('.')
    if suffix not in FORMATS:
        allowed = ', '.join(f'.{name}' for name in FORMATS)
        raise ValueError(
            f'The name of a picture must end in one of {allowed}, but {str(path)!r} '
            'does not.'
        )
    return suffix


def figure_bytes(figure: Figure, file_format: str) -> bytes:
    """Return the content of a file of the figure.

    Args:
        figure (Figure): The figure.
        file_format (str): One of :data:`FORMATS`.

    Returns:
        bytes: The same for the same figure: no date is in it.

    Example:
        >>> figure_bytes(Figure(), 'png')[1:4]
        b'PNG'
    """
    dates = {'svg': {'Date': None}, 'pdf': {'CreationDate': None}}
    file = BytesIO()
    figure.savefig(
        file, format=file_format, dpi=DPI, metadata=dates.get(file_format, {})
    )
    return file.getvalue()


def figure_pixels(figure: Figure) -> np.ndarray:
    """Convert a figure to an image, e.g. for TensorBoard.

    Args:
        figure (Figure): The figure.

    Returns:
        np.ndarray: (H, W, 3) uint8, RGB, of the figure's own size and resolution.

    Example:
        >>> visualizer.add_image('clusters', figure_pixels(figure), step=3)
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
