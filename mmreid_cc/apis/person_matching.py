"""Matching of tracks with known people: known, new, or undecided."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from mmreid_cc.clustering.constrained_linkage import join_groups
from mmreid_cc.clustering.error_rates import ErrorRates
from mmreid_cc.clustering.same_time import mark_overlaps
from mmreid_cc.clustering.standard_scores import StandardScores

from .known_tracks import UNDECIDED, KnownTracks
from .person_vectors import VIEWS, TracksOfPeople, mean_vectors, nearest_people

LATEST = 4096  # tracks that scores and their errors are found from
FEWEST = 8  # tracks, without which no score means anything
FEWEST_PEOPLE = 100  # that a threshold is made for
PROVISIONAL = (32, 8, 2, 0)  # tracks of a person up to which they are joined again
_MOST_ITEMS = 6000  # beyond which fewer are joined again
_MOST_SHARE = 0.02  # of these tracks, by which one person can count
_LEAST_DAMPED = 8  # tracks
_FEW = 0.2  # of the people who are not looked at
_MOST_WAITING = 2000  # tracks that are decided again together with new ones
_POSSIBLE = 1.5  # times the false matches of a decision are those of a mere possibility


class Measure(NamedTuple):
    """Scores of similarity, and their error rates.

    Attributes:
        scores (StandardScores): Turns embeddings into vectors.
        rates (ErrorRates): The error rates of thresholds.
    """

    scores: StandardScores
    rates: ErrorRates


def measure(tracks: KnownTracks) -> Measure:
    """Fit the scores of similarity, and their error rates, to the latest tracks.

    Args:
        tracks (KnownTracks): At least one track.

    Returns:
        Measure: The scores and their error rates.
    """
    latest = tracks.select(np.arange(len(tracks.people))[-LATEST:])
    features = latest.embeddings.astype(np.float32)
    _, person, sizes = np.unique(latest.people, return_inverse=True, return_counts=True)
    most = max(_LEAST_DAMPED, _MOST_SHARE * len(person))
    weights = np.minimum(1, most / sizes[person])
    weights[latest.people == UNDECIDED] = 1
    scores = StandardScores(features, latest.cam_ids, weights)
    starts, ends = latest.intervals.T
    together = (starts[:, None] <= ends) & (starts <= ends[:, None])
    together &= latest.cam_ids[:, None] == latest.cam_ids
    one, other = np.nonzero(np.triu(together, 1))
    vectors = scores(features, latest.cam_ids)
    different = np.concatenate(
        [
            np.einsum('pd,pd->p', vectors[one[part]], vectors[other[part]])
            for part in np.array_split(np.arange(len(one)), len(one) // 65536 + 1)
        ]
    )
    return Measure(scores, ErrorRates(different, half_scores(latest, scores)))


def half_scores(tracks: KnownTracks, scores: StandardScores) -> np.ndarray:
    """Return the score between the halves of each track.

    It is computed from their cosine: both halves are equally far from the pooled
    embedding, on opposite sides.

    Args:
        tracks (KnownTracks): T tracks.
        scores (StandardScores): Scores to use.

    Returns:
        np.ndarray: (H,) scores of the tracks that were halved.
    """
    own = tracks.select(np.isfinite(tracks.halves))
    features = own.embeddings.astype(np.float32)
    means = scores.means[np.minimum(own.cam_ids, len(scores.means) - 1)]
    along = np.sqrt((1 + own.halves) / 2)  # of each half with the pooled embedding
    shadow = along * np.einsum('td,td->t', features, means)
    square = np.einsum('td,td->t', means, means)
    rest = np.maximum(1 - 2 * shadow + square, 1e-6)
    cosines = (own.halves - 2 * shadow + square) / rest
    return cosines / scores.deviations(scores.centered(features, own.cam_ids))


def waiting_tracks(
    tracks: KnownTracks, rows: np.ndarray, measured: Measure
) -> np.ndarray:
    """Find the undecided tracks; if there are many, those most like new ones.

    Args:
        tracks (KnownTracks): All known tracks.
        rows (np.ndarray): (R,) the new ones; those before the first of them may wait.
        measured (Measure): Measure of these tracks.

    Returns:
        np.ndarray: Rows, at most 2,000.
    """
    waiting = np.flatnonzero(tracks.people[: rows[0]] == UNDECIDED)
    if len(waiting) <= _MOST_WAITING:
        return waiting
    scores = measured.scores
    new = scores(tracks.embeddings[rows].astype(np.float32), tracks.cam_ids[rows])
    best = np.concatenate(
        [
            (
                scores(tracks.embeddings[part].astype(np.float32), tracks.cam_ids[part])
                @ new.T
            ).max(axis=1)
            for part in np.array_split(waiting, len(waiting) // 8192 + 1)
        ]
    )
    return np.sort(waiting[np.argsort(-best, kind='stable')[:_MOST_WAITING]])


def match(
    tracks: KnownTracks,
    rows: np.ndarray,
    settled: Collection[int],
    measured: Measure,
    false_matches: float,
    next_number: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Decide whom undecided tracks show.

    This is average linkage of standard scores. It begins with the undecided tracks and
    with the known people who resemble one of them: people with few tracks take part
    track by track, and others as wholes. A group keeps the number of the person to whom
    most of its tracks belonged.

    Args:
        tracks (KnownTracks): All known, also the undecided ones.
        rows (np.ndarray): (R,) the undecided tracks to decide.
        settled (Collection[int]): People who are never taken apart or joined with each
            other.
        measured (Measure): Measure of these tracks.
        false_matches (float): See :class:`People`.
        next_number (int): For the first new person.

    Returns:
        tuple[np.ndarray, np.ndarray]: Rows of tracks, (M,), these and some that had
        been decided; and their people (M,), −1 is undecided.
    """
    scores, rates = measured
    owners = TracksOfPeople(tracks.people)
    total = len(owners.numbers)
    possible = rates.threshold(_POSSIBLE * false_matches / max(total, FEWEST_PEOPLE))
    places = _promising(tracks, rows, owners, scores, possible)
    items = _items(
        rows, owners.of(places), np.isin(owners.numbers[places], list(settled))
    )
    sizes = np.array([len(own) for own in items])
    vectors = mean_vectors([own[-VIEWS:] for own in items], tracks, scores)
    numbers = tracks.people[[own[0] for own in items]]
    conflict = _conflicts(items, tracks)
    fixed = np.isin(numbers, list(settled))
    own = np.flatnonzero(fixed)
    conflict[np.ix_(own, own)] |= numbers[own][:, None] != numbers[own]
    np.fill_diagonal(conflict, False)
    similarity = vectors @ vectors.T
    others = total - len(places)
    # How many people there are follows from a first threshold, if these are not few.
    rounds = 1 if len(items) < _FEW * others else 2
    people = max(others, FEWEST_PEOPLE)
    for _ in range(rounds):
        threshold = rates.threshold(false_matches / people)
        groups = join_groups(similarity, conflict, sizes, threshold)
        people = max(others + len(np.unique(groups)), FEWEST_PEOPLE)
    possible = rates.threshold(_POSSIBLE * false_matches / people)
    np.fill_diagonal(similarity, -np.inf)
    similarity[conflict] = -np.inf
    alone = np.bincount(groups, minlength=len(items))[groups] == 1
    waits = alone & (numbers == UNDECIDED) & (similarity.max(axis=1) >= possible)
    found = _numbered(groups, numbers, sizes, fixed, waits, next_number)
    return np.concatenate(items), np.repeat(found, sizes)


def _items(
    rows: np.ndarray, people: list[np.ndarray], settled: np.ndarray
) -> list[np.ndarray]:
    """Return the rows of the items to join: single tracks, and people as wholes."""
    counts = np.array([len(own) for own in people], dtype=np.int64)
    for most in PROVISIONAL:
        whole = (counts > most) | settled
        if len(rows) + whole.sum() + counts[~whole].sum() <= _MOST_ITEMS:
            break
    items = [np.array([row]) for row in rows]
    for own, together in zip(people, whole, strict=True):
        items += [own] if together else [np.array([row]) for row in own]
    return items


def _promising(
    tracks: KnownTracks,
    rows: np.ndarray,
    owners: TracksOfPeople,
    scores: StandardScores,
    least: float,
) -> np.ndarray:
    """Return the places of people who resemble one of the tracks."""
    if not len(owners.numbers):
        return np.empty(0, dtype=np.int64)
    features, cam_ids = tracks.embeddings[rows].astype(np.float32), tracks.cam_ids[rows]
    found = nearest_people(scores.centered(features, cam_ids), tracks, owners, scores)
    places, column = np.unique(found, return_inverse=True)
    means = mean_vectors(owners.of(places, VIEWS), tracks, scores)
    vectors = scores(features, cam_ids)
    like = np.zeros(len(places), dtype=bool)
    for vector, own in zip(vectors, column.reshape(found.shape), strict=True):
        like[own[means[own] @ vector >= least]] = True
    return places[like]


def _conflicts(items: list[np.ndarray], tracks: KnownTracks) -> np.ndarray:
    """Return which items hold tracks of one camera that overlap in time; (G, G)."""
    rows = np.concatenate(items)
    owner = np.repeat(np.arange(len(items)), [len(own) for own in items])
    conflict = np.zeros((len(items), len(items)), dtype=np.bool_)
    mark_overlaps(owner, tracks.cam_ids[rows], tracks.intervals[rows], conflict)
    return conflict


def _numbered(
    groups: np.ndarray,
    numbers: np.ndarray,
    sizes: np.ndarray,
    fixed: np.ndarray,
    waits: np.ndarray,
    next_number: int,
) -> np.ndarray:
    """Number each item; its group keeps the number that most of its tracks had."""
    found = np.full(len(groups), UNDECIDED)
    known = np.flatnonzero(numbers != UNDECIDED)
    pairs, inverse = np.unique(
        np.stack([groups[known], numbers[known]]), axis=1, return_inverse=True
    )
    tracks = np.bincount(inverse, sizes[known], minlength=pairs.shape[1])
    first = np.zeros(pairs.shape[1], dtype=bool)
    first[inverse[fixed[known]]] = True
    taken: dict[int, int] = {}
    for place in np.lexsort((pairs[1], -tracks, ~first)):
        group, number = pairs[:, place].tolist()
        if group not in taken and number not in taken.values():
            taken[group] = number
    for item, group in enumerate(groups.tolist()):
        if waits[item]:
            continue
        if group not in taken:
            taken[group] = next_number
            next_number += 1
        found[item] = taken[group]
    return found
