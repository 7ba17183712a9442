"""The results of a search, as text and as a picture."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mmreid_cc.visualization.colors import BLUE, GREY
from mmreid_cc.visualization.crop_sheet import CropSheet, FramedCrop

from .lance_gallery import AnyGallery


def results_table(
    shots: Sequence[str],
    gallery: AnyGallery,
    rows: np.ndarray,
    scores: np.ndarray,
    score_name: str = 'cosine',
) -> str:
    """Format the results of one query as lines of text.

    Args:
        shots (Sequence[str]): Paths of the query, several where they were pooled.
        gallery (AnyGallery): Gallery that was searched.
        rows (np.ndarray): (k,) its rows, best first.
        scores (np.ndarray): (k,) their scores.
        score_name (str): The name of the scores. Defaults to ``'cosine'``.

    Returns:
        str: A line for each query image, a header, and a line for each result: rank,
        score, metadata, path. What cannot be printed is escaped.

    Example:
        >>> print(results_table(['q.jpg'], gallery, rows[0], scores[0]))
        q.jpg
        rank  cosine  pid  image
           1   0.868    7  crops/0007_c2.jpg
    """
    header = ['rank', score_name, *gallery.metadata]
    columns = [column[rows] for column in gallery.metadata.values()]
    cells = [
        [
            str(rank + 1),
            f'{scores[rank]:.3f}',
            *(_printable(str(c[rank])) for c in columns),
        ]
        for rank in range(len(rows))
    ]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    images = ['image', *(_printable(gallery.paths[row]) for row in rows)]
    lines = [
        '  '.join([*(c.rjust(w) for c, w in zip(line, widths, strict=True)), image])
        for line, image in zip([header, *cells], images, strict=True)
    ]
    return '\n'.join([*map(_printable, shots), *lines])


def search_sheet(
    queries: Sequence[Sequence[str]],
    gallery: AnyGallery,
    rows: np.ndarray,
    scores: np.ndarray,
) -> Figure:
    """Draw a row for each query: its images, then the results, best first.

    Args:
        queries (Sequence[Sequence[str]]): Q, each the paths of its shots.
        gallery (AnyGallery): Gallery that was searched; all its results must have a
            file.
        rows (np.ndarray): (Q, k) its rows.
        scores (np.ndarray): (Q, k) their scores.

    Returns:
        Figure: Query images have a solid blue frame, results a dotted grey one.

    Raises:
        OSError: If an image cannot be read.

    Example:
        >>> rows, scores = reid.search('q.jpg', gallery=gallery)
        >>> save_figure(search_sheet([['q.jpg']], gallery, rows, scores), 'sheet.png')
    """
    sheet = CropSheet()
    for number, (shots, found, values) in enumerate(
        zip(queries, rows, scores, strict=True), start=1
    ):
        crops = [FramedCrop(shot, 'query', BLUE) for shot in shots]
        crops += [
            FramedCrop(gallery.paths[row], f'{value:.2f}', GREY, ':')
            for row, value in zip(found, values, strict=True)
        ]
        sheet.add_row(f'query {number}', crops)
    return sheet.figure()


def _printable(text: str) -> str:
    """Escape a text for any terminal: file names can hold bytes that are no UTF-8."""
    return text if text.isprintable() else repr(text)
