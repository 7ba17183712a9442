"""Sheets of queries with the gallery images that were ranked first."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

RIGHT, WRONG, QUERY = '#1a9850', '#d73027', '#333333'
CROP_HEIGHT = 128  # pixels of a crop on the sheet


@dataclass(frozen=True)
class RankList:
    """A query and the gallery images that were ranked first.

    Args:
        query (str): Path of the query image.
        query_cam (int): Its camera.
        paths (Sequence[str]): Of the gallery images, nearest first.
        similarities (Sequence[float]): Cosine of each with the query.
        matches (Sequence[bool]): Whether each shows the query's identity.
        cams (Sequence[int]): The camera of each.
    """

    query: str
    query_cam: int
    paths: Sequence[str]
    similarities: Sequence[float]
    matches: Sequence[bool]
    cams: Sequence[int]


def rank_lists(
    features: np.ndarray,
    pids: np.ndarray,
    cam_ids: np.ndarray,
    is_query: np.ndarray,
    paths: np.ndarray,
    queries: Sequence[int],
    topk: int = 10,
    exclude_same_camera: bool = True,
) -> list[RankList]:
    """Rank the gallery for some queries, by the protocol of Market-1501.

    Args:
        features (np.ndarray): Of query and gallery, L2-normalised, shape (N, D).
        pids (np.ndarray): Identities, −1 is junk; shape (N,).
        cam_ids (np.ndarray): Cameras, shape (N,).
        is_query (np.ndarray): Which images are queries, shape (N,).
        paths (np.ndarray): Of the images, shape (N,).
        queries (Sequence[int]): Which of the N images to rank for.
        topk (int): Length of each list. Defaults to 10.
        exclude_same_camera (bool): Leave out gallery images of the query's identity
            and camera. Defaults to True.

    Returns:
        list[RankList]: One for each of ``queries``.
    """
    gallery = np.flatnonzero(~is_query & (pids != -1))
    lists = []
    for query in queries:
        shown = gallery
        if exclude_same_camera:
            same = (pids[gallery] == pids[query]) & (cam_ids[gallery] == cam_ids[query])
            shown = gallery[~same]
        similarities = features[shown] @ features[query]
        order = np.argsort(-similarities, kind='stable')[:topk]
        top = shown[order]
        lists.append(
            RankList(
                query=str(paths[query]),
                query_cam=int(cam_ids[query]),
                paths=paths[top].tolist(),
                similarities=similarities[order].tolist(),
                matches=(pids[top] == pids[query]).tolist(),
                cams=cam_ids[top].tolist(),
            )
        )
    return lists


def draw_rank_lists(lists: Sequence[RankList], out_file: str | Path) -> None:
    """Draw a row for each query: the query, then its gallery images.

    A right image has a solid green frame and a tick, a wrong one a dashed red frame and
    a cross; below it stand its cosine and its camera.

    Args:
        lists (Sequence[RankList]): What to draw, at least one.
        out_file (str | Path): PNG, SVG or PDF by its suffix.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not lists:
        raise ValueError('There is no rank list to draw.')
    columns = 1 + max(len(ranked.paths) for ranked in lists)
    figure = Figure(figsize=(0.8 * columns, 1.75 * len(lists)), layout='constrained')
    axes = figure.subplots(len(lists), columns, squeeze=False)
    for row, ranked in zip(axes, lists, strict=True):
        _draw_crop(row[0], ranked.query, QUERY, '-', f'query, c{ranked.query_cam}')
        results = zip(
            ranked.paths, ranked.similarities, ranked.matches, ranked.cams, strict=True
        )
        for ax, (path, similarity, match, cam) in zip(row[1:], results, strict=False):
            text = f'{"✓" if match else "✗"} {similarity:.2f}, c{cam}'
            _draw_crop(
                ax, path, RIGHT if match else WRONG, '-' if match else '--', text
            )
        for ax in row[1 + len(ranked.paths) :]:
            ax.axis('off')
    figure.savefig(out_file, dpi=110)


def _draw_crop(ax: Axes, path: str, color: str, linestyle: str, text: str) -> None:
    with Image.open(path) as image:
        size = (max(1, image.width * CROP_HEIGHT // image.height), CROP_HEIGHT)
        ax.imshow(np.asarray(image.convert('RGB').resize(size)))
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel(text, fontsize=7, color=color)
    ax.spines[:].set(color=color, linewidth=3, linestyle=linestyle)
