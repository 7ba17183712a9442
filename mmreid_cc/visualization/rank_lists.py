"""Sheets of queries with the gallery images that were ranked first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from mmreid_cc.evaluation.functional.protocol import distance_and_protocol
from mmreid_cc.evaluation.functional.query_ranks import rank_queries

from .cameras import has_cameras
from .colors import BLACK, GREEN, GREY, VERMILION
from .crop_sheet import CropSheet, FramedCrop
from .embedded_images import EmbeddedImages

RIGHT, WRONG, IGNORED = GREEN, VERMILION, GREY
TITLES = {
    'best': 'Best queries, by average precision (AP)',
    'worst': 'Worst queries, by average precision (AP)',
    'random': 'Queries drawn at random',
}


@dataclass(frozen=True)
class Ranked:
    """A gallery image in a rank list.

    Args:
        path (str): Path of the image.
        similarity (float): Its cosine with the query.
        cam_id (int | None): Its camera; None if no camera is known.
        match (bool): Whether it shows the query's identity.
        rank (int | None): From 1; None where it does not count: junk, or a match from
            the query's own camera.
    """

    path: str
    similarity: float
    cam_id: int | None
    match: bool
    rank: int | None


@dataclass(frozen=True)
class RankList:
    """A query and the gallery images that are nearest to it.

    Args:
        path (str): Path of the query.
        cam_id (int | None): Its camera; None if no camera is known.
        average_precision (float): In [0, 1]; NaN without a match in the gallery.
        results (Sequence[Ranked]): Nearest first.
    """

    path: str
    cam_id: int | None
    average_precision: float
    results: Sequence[Ranked]


def choose_queries(images: EmbeddedImages, count: int, seed: int = 0) -> dict:
    """Choose the queries that are ranked best and worst, and some at random.

    Args:
        images (EmbeddedImages): Query and gallery.
        count (int): How many of each.
        seed (int): Seed of the draw. Defaults to 0.

    Returns:
        dict[str, np.ndarray]: ``'best'``, ``'worst'`` and ``'random'``: rows of
        queries. Best and worst are by average precision, then by row, of the queries
        that have a match.

    Example:
        >>> choose_queries(images, 2)
        {'best': array([4, 8]), 'worst': array([3, 1]), 'random': array([1, 7])}
    """
    precisions = average_precisions(images)
    order = images.queries[np.argsort(-precisions, kind='stable')]
    order = order[: np.isfinite(precisions).sum()]  # NaN is sorted to the end
    drawn = np.random.default_rng(seed).permutation(images.queries)[:count]
    return {
        'best': order[:count],
        'worst': order[::-1][:count],
        'random': np.sort(drawn),
    }


def average_precisions(images: EmbeddedImages) -> np.ndarray:
    """Compute the average precision of each query as :func:`ranking_metrics` does.

    Args:
        images (EmbeddedImages): Query and gallery.

    Returns:
        np.ndarray: (Q,) float64 in [0, 1]; NaN without a match.
    """
    arranged = distance_and_protocol(**images.ranking_arguments())
    return rank_queries(*arranged).average_precision


def rank_lists(
    images: EmbeddedImages, queries: Sequence[int], topk: int = 10, ignored: int = 2
) -> list[RankList]:
    """Rank the gallery for some queries.

    Args:
        images (EmbeddedImages): Query and gallery.
        queries (Sequence[int]): Rows of the queries.
        topk (int): Images of each list that count. Defaults to 10.
        ignored (int): At most so many of those that do not count stand among them,
            where they are as near. Defaults to 2.

    Returns:
        list[RankList]: One for each of ``queries``.

    Example:
        >>> [result.match for result in rank_lists(images, [0], topk=3)[0].results]
        [True, True, False]
    """
    with_cameras = has_cameras(images.cam_ids)
    precisions = dict(zip(images.queries, average_precisions(images), strict=True))
    lists = []
    for query in queries:
        similarities, matches, counted = images.compare(query)
        results: list[Ranked] = []
        rank = left_out = 0
        for i in np.argsort(-similarities, kind='stable'):
            if counted[i]:
                rank += 1
            elif left_out < ignored:
                left_out += 1
            else:
                continue
            row = images.gallery[i]
            results.append(
                Ranked(
                    path=str(images.paths[row]),
                    similarity=float(similarities[i]),
                    cam_id=int(images.cam_ids[row]) if with_cameras else None,
                    match=bool(matches[i]),
                    rank=rank if counted[i] else None,
                )
            )
            if rank == topk:
                break
        lists.append(
            RankList(
                path=str(images.paths[query]),
                cam_id=int(images.cam_ids[query]) if with_cameras else None,
                average_precision=float(precisions[query]),
                results=results,
            )
        )
    return lists


def first_ranks(
    images: EmbeddedImages, count: int, seed: int = 0
) -> dict[tuple[str, str], str]:
    """Draw random queries, each with the gallery image that is ranked first.

    Args:
        images (EmbeddedImages): Query and gallery.
        count (int): Number of queries.
        seed (int): Seed of the draw. Defaults to 0.

    Returns:
        dict[tuple[str, str], str]: Whether a pair shows one person, by its paths.

    Example:
        >>> first_ranks(images, 1)
        {('query/1.jpg', 'gallery/7.jpg'): '✓ one person'}
    """
    drawn = np.random.default_rng(seed).permutation(images.queries)[:count].tolist()
    pairs = {}
    for ranked in rank_lists(images, drawn, topk=1, ignored=0):
        first = ranked.results[0]
        pairs[ranked.path, first.path] = (
            '✓ one person' if first.match else '✗ two persons'
        )
    return pairs


def rank_list_sheet(sections: Mapping[str, Sequence[RankList]]) -> Figure:
    """Draw a row for each query: the query, then its gallery images.

    A correct image has a solid green frame and a tick, a wrong one a dashed red frame
    and a cross, and one that does not count a dotted grey frame and no rank. Rank,
    camera and cosine are below each image.

    Args:
        sections (Mapping[str, Sequence[RankList]]): Title and lists of each section.

    Returns:
        Figure: At 100 dots per inch an image is 128 pixels high.

    Raises:
        ValueError: If there is nothing to draw.
        OSError: If an image cannot be read.

    Example:
        >>> figure = rank_list_sheet({'Drawn at random': rank_lists(images, [0, 7])})
    """
    sheet = CropSheet()
    for title, lists in sections.items():
        sheet.add_title(title)
        for ranked in lists:
            text = '\n'.join(['query', *_camera(ranked.cam_id)])
            query = FramedCrop(ranked.path, text, BLACK)
            precision = ranked.average_precision
            known = np.isfinite(precision)
            text = f'AP {precision:.0%}' if known else 'no match in\nthe gallery'
            sheet.add_row(text, [query, *map(_framed, ranked.results)])
    return sheet.figure()


def _camera(cam_id: int | None) -> list[str]:
    return [] if cam_id is None else [f'c{cam_id}']


def _framed(result: Ranked) -> FramedCrop:
    below = ', '.join([*_camera(result.cam_id), f'{result.similarity:.2f}'])
    if result.rank is None:
        reason = 'same camera' if result.match else 'junk'
        return FramedCrop(result.path, f'{reason}\n{below}', IGNORED, ':')
    if result.match:
        return FramedCrop(result.path, f'✓ {result.rank}\n{below}', RIGHT)
    return FramedCrop(result.path, f'✗ {result.rank}\n{below}', WRONG, '--')
