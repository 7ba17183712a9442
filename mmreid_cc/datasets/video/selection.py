"""The selection of the boxes that become crops."""

from dataclasses import dataclass

import cv2
import numpy as np

from ..crops import NO_TRACK
from .tracks import Tracks
from .twins import DUPLICATE, by_frame, intersections

MIN_INSIDE = 0.5  # of a box must lie in the picture
SHARPNESS_HEIGHT = 128  # pixels that a crop is scaled to before it is measured


@dataclass(frozen=True)
class CropRules:
    """Rules for the selection and the cutting of crops.

    Attributes:
        per_track: largest number of crops of a track, spread over its time; None: all.
        every: only every so many frames.
        min_height: least height of the box in the picture, pixels.
        min_width: least width of it, pixels.
        min_confidence: least confidence; a box of unknown confidence passes.
        max_overlap: largest share of a box that another one covers, 0–1; 1: any.
        margin: added on each side, as a share of the box's width and height.
        min_sharpness: least :func:`sharpness`; 0: any.

    Raises:
        ValueError: If one is out of its range.
    """

    per_track: int | None = 20
    every: int = 1
    min_height: int = 32
    min_width: int = 8
    min_confidence: float = 0.0
    max_overlap: float = 1.0
    margin: float = 0.0
    min_sharpness: float = 0.0

    def __post_init__(self) -> None:
        for name in ('per_track', 'every', 'min_height', 'min_width'):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}.')
        for name in ('max_overlap', 'margin'):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must lie in [0, 1], got {value}.')


@dataclass(frozen=True)
class Chosen:
    """The boxes that are selected.

    Attributes:
        rows: (M,) int64 rows of the tracks, by frame.
        areas: (M, 4) int64, left, top, right and bottom in the picture, the right and
            bottom exclusive.
        left_out: how many boxes were left out, by reason.
    """

    rows: np.ndarray
    areas: np.ndarray
    left_out: dict[str, int]


def choose_crops(tracks: Tracks, width: int, height: int, rules: CropRules) -> Chosen:
    """Choose the boxes to cut.

    If two boxes are almost equal, which means that one person was detected twice, the
    one of lower confidence is left out. Boxes are cut at the edges of the picture, and
    left out if less than half of the box is in it.

    Args:
        tracks (Tracks): N boxes.
        width (int): Width of the picture, pixels.
        height (int): Height of the picture, pixels.
        rules (CropRules): What is left out.

    Returns:
        Chosen: What is to be cut.

    Example:
        >>> chosen = choose_crops(read_tracks('cam1.txt'), 640, 360, CropRules())
        >>> chosen.left_out
        {'too small': 3}
    """
    areas, inside = _areas(tracks.boxes, width, height, rules.margin)
    clipped, _ = _areas(tracks.boxes, width, height, 0.0)
    sizes = clipped[:, 2:] - clipped[:, :2]
    duplicate, overlap = _overlaps(tracks)
    reasons = {
        'outside of the picture': inside < MIN_INSIDE,
        'too small': (sizes < (rules.min_width, rules.min_height)).any(axis=1),
        'of low confidence': tracks.confidences < rules.min_confidence,
        'found twice': duplicate,
        'overlapped': overlap > rules.max_overlap,
    }
    kept = np.ones(len(tracks), dtype=bool)
    left_out = {}
    for reason, applies in reasons.items():
        left_out[reason] = int((kept & applies).sum())
        kept &= ~applies
    kept &= (tracks.frames - 1) % rules.every == 0
    if rules.per_track is not None:
        kept &= _spread(tracks, kept, rules.per_track)
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((tracks.lines[rows], tracks.frames[rows]))]
    return Chosen(rows, areas[rows], {k: n for k, n in left_out.items() if n})


def sharpness(crop: np.ndarray) -> float:
    """Measure the sharpness of a crop: the variance of its Laplacian at 128 pixels.

    Args:
        crop (np.ndarray): (H, W, 3) uint8 BGR.

    Returns:
        float: 0 for one colour; crops out of focus have tens, sharp ones hundreds.

    Source: Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, 2000.

    Example:
        >>> sharpness(np.zeros((128, 64, 3), np.uint8))
        0.0
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    width = max(1, round(SHARPNESS_HEIGHT * crop.shape[1] / crop.shape[0]))
    grey = cv2.resize(grey, (width, SHARPNESS_HEIGHT), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def _areas(
    boxes: np.ndarray, width: int, height: int, margin: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cut boxes at the edges of the picture; return the share inside of each."""
    extra = margin * boxes[:, 2:]
    corners = np.concatenate(
        [boxes[:, :2] - extra, boxes[:, :2] + boxes[:, 2:] + extra], axis=1
    )
    limits = np.array([width, height, width, height])
    cut = np.clip(corners, 0, limits)
    full = np.prod(np.maximum(corners[:, 2:] - corners[:, :2], 0), axis=1)
    seen = np.prod(np.maximum(cut[:, 2:] - cut[:, :2], 0), axis=1)
    return np.rint(cut).astype(np.int64), seen / np.where(full > 0, full, 1)


def _overlaps(tracks: Tracks) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each box is a duplicate, and the share that another covers."""
    duplicate = np.zeros(len(tracks), dtype=bool)
    overlap = np.zeros(len(tracks))
    for rows in by_frame(tracks):
        shared, union = intersections(tracks.boxes[rows])
        twin = np.triu(shared > DUPLICATE * union, k=1)
        for place in range(len(rows)):
            if twin[:place, place].any():
                duplicate[rows[place]] = True
                twin[place] = False
        single = ~duplicate[rows]
        areas = np.maximum(np.diag(shared), 1e-9)
        np.fill_diagonal(shared, 0)
        overlap[rows] = (shared * single / areas[:, None]).max(axis=1)
    return duplicate, overlap


def _spread(tracks: Tracks, kept: np.ndarray, count: int) -> np.ndarray:
    """Keep at most so many boxes of each track, spread evenly in time."""
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((tracks.frames[rows], tracks.ids[rows]))]
    result = np.zeros(len(tracks), dtype=bool)
    for own in np.split(rows, np.flatnonzero(np.diff(tracks.ids[rows])) + 1):
        if len(own) <= count or tracks.ids[own[0]] == NO_TRACK:
            result[own] = True
            continue
        frames = tracks.frames[own]
        moments = np.linspace(frames[0], frames[-1], 2 * count + 1)[1::2]
        after = np.clip(np.searchsorted(frames, moments), 1, len(frames) - 1)
        nearer = moments - frames[after - 1] <= frames[after] - moments
        result[own[after - nearer]] = True
    return result
