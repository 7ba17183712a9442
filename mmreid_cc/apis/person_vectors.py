"""Mean vectors of known people, for search and comparison."""

import numpy as np
from scipy.sparse import csr_array

from mmreid_cc.clustering.compiled_kernels import kernel
from mmreid_cc.clustering.exact import exact_search
from mmreid_cc.clustering.parallel import faiss_threads, map_row_blocks, n_threads
from mmreid_cc.clustering.similarity import for_kernels, value
from mmreid_cc.clustering.standard_scores import StandardScores

from .known_tracks import KnownTracks

VIEWS = 64  # tracks of a person that stand for him: the latest
_DIMENSIONS = 64  # that are searched by: those in which tracks differ most
_CANDIDATES = 4  # people that are looked at for each track


class TracksOfPeople:
    """The rows of tracks of each person.

    Args:
        people (np.ndarray): (T,) int64, number of the person; negative if there is
            none.

    Attributes:
        numbers (np.ndarray): (P,) int64, the people, sorted.
        rows (np.ndarray): Rows of all of them, person after person, each in order.
        starts (np.ndarray): (P + 1,) int64, where each begins in ``rows``.
    """

    def __init__(self, people: np.ndarray) -> None:
        order = np.argsort(people, kind='stable')
        self.rows = order[np.searchsorted(people[order], 0) :]
        owners = people[self.rows]
        new = np.diff(owners, prepend=-1) > 0
        self.numbers = owners[new]
        self.starts = np.append(np.flatnonzero(new), len(owners))

    def of(self, places: np.ndarray, most: int | None = None) -> list[np.ndarray]:
        """Return the rows of some people.

        Args:
            places (np.ndarray): Places of the people in ``numbers``.
            most (int, optional): The largest number of rows of a person; the last ones
                are returned. Defaults to None: all.

        Returns:
            list[np.ndarray]: Rows of each.
        """
        ends = self.starts[places + 1]
        begins = self.starts[places]
        if most is not None:
            begins = np.maximum(begins, ends - most)
        pairs = zip(begins.tolist(), ends.tolist(), strict=True)
        return [self.rows[begin:end] for begin, end in pairs]


def nearest_people(
    queries: np.ndarray,
    tracks: KnownTracks,
    owners: TracksOfPeople,
    scores: StandardScores,
) -> np.ndarray:
    """Propose the known people that look most like each query.

    The search is exact in the 64 dimensions in which tracks differ most.

    Args:
        queries (np.ndarray): (Q, D) float32, as of :meth:`StandardScores.centered`.
        tracks (KnownTracks): All known tracks.
        owners (TracksOfPeople): Owners of these tracks, with one person or more.
        scores (StandardScores): Scores of these tracks.

    Returns:
        np.ndarray: (Q, min(4, P)) int64, places in ``owners.numbers``.
    """
    variance = np.diag(scores.spread)
    dims = np.sort(np.argsort(-variance, kind='stable')[:_DIMENSIONS])
    means = np.empty((len(owners.numbers), len(dims)), dtype=np.float32)
    map_row_blocks(
        _mean_views,
        len(means),
        for_kernels(tracks.embeddings),
        tracks.cam_ids,
        scores.means[:, dims].astype(np.float32),
        dims,
        owners.rows,
        owners.starts,
        means,
    )
    count = min(_CANDIDATES, len(means))
    with faiss_threads(n_threads()):
        return exact_search(means)(np.ascontiguousarray(queries[:, dims]), count)[1]


@kernel
def _mean_views(
    first: int,
    last: int,
    embeddings: np.ndarray,
    cam_ids: np.ndarray,
    camera_means: np.ndarray,
    dims: np.ndarray,
    rows: np.ndarray,
    starts: np.ndarray,
    means: np.ndarray,
) -> None:
    """Compute the normalised mean of the last tracks of people, less camera means."""
    for person in range(first, last):
        mean = means[person]
        mean[:] = 0
        for place in range(
            max(starts[person], starts[person + 1] - VIEWS), starts[person + 1]
        ):
            row = rows[place]
            camera = min(cam_ids[row], len(camera_means) - 1)
            for d in range(len(dims)):
                mean[d] += value(embeddings[row, dims[d]]) - camera_means[camera, d]
        norm = np.sqrt((mean * mean).sum())
        if norm > 0:
            mean /= norm


def mean_vectors(
    rows: list[np.ndarray], tracks: KnownTracks, scores: StandardScores
) -> np.ndarray:
    """Return the mean of the score vectors of each group of tracks.

    Args:
        rows (list[np.ndarray]): Rows of G groups, each not empty.
        tracks (KnownTracks): All known tracks.
        scores (StandardScores): Scores to use.

    Returns:
        np.ndarray: (G, D) float32. Products are the mean scores of all pairs.
    """
    sizes = np.array([len(own) for own in rows])
    joined = np.concatenate(rows)
    vectors = scores(
        tracks.embeddings[joined].astype(np.float32), tracks.cam_ids[joined]
    )
    ends = np.cumsum(sizes)
    shares = np.repeat(1 / sizes, sizes).astype(np.float32)
    parts = np.arange(ends[-1]), np.append(0, ends)
    means: np.ndarray = csr_array((shares, *parts)) @ vectors
    return means
