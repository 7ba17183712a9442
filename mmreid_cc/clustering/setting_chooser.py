"""The choice of the best settings, unless chance would be as good."""

import logging
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from mmengine.logging import print_log

from .judging import least_score
from .setting_grid import Settings

_NEAR = 0.15  # of the best score; measured, see clustering.md


class SettingChooser:
    """Base class of clusterers that try many settings, and cluster by the best ones.

    The result of the search is in ``chosen``, ``candidates`` and ``people``, see
    :class:`AutoDBSCAN`.
    """

    chosen: Settings | None
    candidates: list[tuple[Settings, float]]
    people: tuple[int, int, int] | None
    ROLE_OF_OTHERS: ClassVar[str] = 'nearly as good'

    def forget_choice(self) -> None:
        """Forget what the last call has chosen."""
        self.chosen, self.candidates, self.people = None, [], None

    def explanation(self) -> str:
        """Explain in words what the last call has chosen, and why.

        Returns:
            str: Some sentences.
        """
        if self.chosen is None or self.people is None:
            return 'No settings were chosen: no groups of images can be told apart.'
        settings = ', '.join(f'{key}={value}' for key, value in self.chosen.items())
        scores = [score for _, score in self.candidates]
        return (
            f'Chosen among {len(scores)} settings: {settings}. Each of them clusters '
            'by one half of the dimensions, and the other half judges its clusters: '
            f'silhouette {scores[0]:.3f}, median of all settings '
            f'{np.median(scores):.3f}. Others that are {self.ROLE_OF_OTHERS}: '
            f'{self.n_nearly_best() - 1}. '
            f'{people_in_words(self.people)}'
        )

    def choose(
        self,
        settings: Sequence[Settings],
        scores: np.ndarray,
        crossed: np.ndarray,
        errors: np.ndarray,
        n_rows: int,
    ) -> np.ndarray:
        """Choose by the scores.

        Args:
            settings (Sequence[dict]): S of them.
            scores (np.ndarray): (S,) by which to choose.
            crossed (np.ndarray): (S,) silhouettes in dimensions that were not clustered
                by; of the best one chance must not be as good.
            errors (np.ndarray): (S,) standard errors of the silhouettes.
            n_rows (int): Number of images, N.

        Returns:
            np.ndarray: Indices of the best setting and of those whose score is nearly
            as high, best first; empty with a warning in the log if chance would be as
            good.
        """
        order = np.argsort(-scores, kind='stable')
        self.candidates = [(settings[i], float(scores[i])) for i in order]
        best = order[0]
        least = least_score(errors[best])
        if crossed[best] < least:
            print_log(
                f'{type(self).__name__} found no people in {n_rows} images: the '
                'clusters by one half of the dimensions are not confirmed by the other '
                f'half (silhouette {crossed[best]:.3f}, at least {least:.3f} is '
                'needed). Either no two images show the same person, or all of them '
                'do, or the network cannot tell people apart: use weights that were '
                'trained on people.',
                logger='current',
                level=logging.WARNING,
            )
            return order[:0]
        self.chosen = settings[best]
        return order[: self.n_nearly_best()]

    def n_nearly_best(self) -> int:
        """Return how many settings are nearly as good as the chosen one, with it."""
        scores = np.array([score for _, score in self.candidates])
        return int(np.count_nonzero(scores >= scores[0] - _NEAR * abs(scores[0])))


def people_in_words(people: tuple[int, int, int]) -> str:
    """Say how many people there are.

    Args:
        people (tuple[int, int, int]): From :func:`estimated_people`.

    Returns:
        str: A sentence.

    Example:
        >>> people_in_words((3, 2, 5))[:50]
        'Estimated number of people: 3, between 2 (the clus'
    """
    estimate, fewest, most = people
    return (
        f'Estimated number of people: {estimate}, between {fewest} (the clusters '
        f'alone) and {most} (every un-clustered image is a person). Who looks '
        'different in two cameras may count twice.'
    )


def estimated_people(labels: np.ndarray) -> tuple[int, int, int]:
    """Estimate the number of people from clusters.

    Un-clustered images are counted as if they were in clusters of the mean size.

    Args:
        labels (np.ndarray): (N,) int64, −1 is un-clustered.

    Returns:
        tuple[int, int, int]: The estimate; the number of clusters; and this number with
        every un-clustered image as a person by itself.

    Example:
        >>> estimated_people(np.array([0, 0, 1, 1, -1, -1]))
        (3, 2, 4)
    """
    clusters = int(labels.max(initial=-1)) + 1
    outside = int(np.count_nonzero(labels < 0))
    mean_size = (len(labels) - outside) / max(clusters, 1)
    return round(clusters + outside / max(mean_size, 1)), clusters, clusters + outside
