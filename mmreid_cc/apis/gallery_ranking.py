"""The ranking of a gallery for one query, as it is shown to a person."""

from typing import NamedTuple

import numpy as np

from .lance_gallery import AnyGallery
from .metadata_numbers import camera_name
from .query_search import RE_RANKED


class Ranking(NamedTuple):
    """A list of ranked images.

    Attributes:
        rows (np.ndarray): (n,) int64, of the gallery, best first.
        cosines (np.ndarray): (n,) float32 with the query, in [−1, 1].
    """

    rows: np.ndarray
    cosines: np.ndarray


def rank_images(
    gallery: AnyGallery,
    query: np.ndarray,
    topk: int,
    *,
    query_row: int | None = None,
    other_cameras: bool = False,
    rerank: bool = False,
    threshold: float = -1.0,
) -> Ranking:
    """Rank the images of a gallery, leave out some, and keep those similar enough.

    Args:
        gallery (AnyGallery): Gallery to search in.
        query (np.ndarray): (D,) floating, L2-normalised.
        topk (int): Length of the list at most, at least 1.
        query_row (int, optional): Row of the query, which is not in its own list.
            Defaults to None: it is not of this gallery.
        other_cameras (bool): Leave out the images of the query's camera. Defaults to
            False.
        rerank (bool): Order by k-reciprocal re-ranking. Defaults to False: by cosine.
        threshold (float): Images with a smaller cosine are not listed, also with
            ``rerank``. Defaults to −1: all are.

    Returns:
        Ranking: A ranking of the images that are left, none perhaps.

    Raises:
        ValueError: If the query does not fit, ``topk`` is not positive, or the camera
            of the query is not known.

    Example:
        >>> gallery = Gallery(np.eye(2, dtype=np.float32), ['a.jpg', 'b.jpg'])
        >>> rank_images(gallery, gallery.embeddings[0], topk=5, query_row=0)
        Ranking(rows=array([1]), cosines=array([0.], dtype=float32))
    """
    left_out = None if query_row is None else np.array([query_row])
    if other_cameras:
        camera = None if query_row is None else camera_of(gallery, query_row)
        if camera is None:
            raise ValueError(
                'The camera of the query is unknown, so its images cannot be left out.'
            )
        cameras = gallery.metadata['cam_id']
        left_out = np.flatnonzero(cameras == cameras[query_row])
    if left_out is None:
        rows, scores = gallery.search(query[None], topk, rerank)
        found, similar = rows[0], scores[0]
        if rerank:
            similar = gallery.embeddings[found] @ query
    else:
        rows = _near_rows(gallery, query, max(topk, RE_RANKED), left_out)
        if not len(rows):
            return Ranking(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
        # Only what can be listed or re-ranked, so that the whole gallery is not copied.
        near = gallery.select(rows)
        order = near.search(query[None], topk, rerank)[0][0]
        found, similar = rows[order], near.embeddings[order] @ query
    listed = similar >= threshold
    return Ranking(found[listed], similar[listed])


def _near_rows(
    gallery: AnyGallery, query: np.ndarray, count: int, left_out: np.ndarray
) -> np.ndarray:
    """Return at least so many rows most similar to a query, or all, without some."""
    asked = count + 1
    while True:
        near = gallery.search(query[None], asked)[0][0]
        kept = near[~np.isin(near, left_out)]
        if len(kept) >= count or asked >= len(gallery):
            return kept
        asked *= 4


def camera_of(gallery: AnyGallery, row: int) -> str | None:
    """Return the name of the camera of an image.

    Args:
        gallery (AnyGallery): Gallery with ``cam_id`` in its metadata, or without.
        row (int): Row of the image.

    Returns:
        str | None: None if it is not known: no ``cam_id``, a negative or an empty one.

    Example:
        >>> camera_of(Gallery(np.eye(2), ['', ''], dict(cam_id=[3, -1])), 0)
        '3'
    """
    if 'cam_id' not in gallery.metadata:
        return None
    return camera_name(gallery.metadata['cam_id'][row])
