"""The writing of drawn pedestrians as a Market-1501 folder."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from .drawing import draw_pedestrian
from .drawn_folder import check_ranges, write_once
from .pixels import Image
from .streams import Stream, generator

DRAWING_VERSION = 1
"""Counts changes of the pixels: sets of different versions are not comparable."""

PARAMETER_FILE = 'synthetic_reid.json'

_STRANGERS = 1_000_000
"""Distractors and junk are drawn as identities from here on."""


def write_market_folder(
    root: str | Path,
    *,
    seed: int = 0,
    train_identities: int = 80,
    test_identities: int = 60,
    cameras: int = 4,
    shots: int = 6,
    infrared: int = 0,
) -> Path:
    """Draw a re-identification set into a folder with the layout of Market-1501.

    ::

        root/
        ├── synthetic_reid.json       parameters of the drawing
        ├── bounding_box_train/       0001_c1s1_000025_01.jpg
        ├── query/                    one image of each test identity and camera
        └── bounding_box_test/        the others; junk −1, distractors 0000

    Each identity passes two to four cameras, and each of them takes between half of
    ``shots`` (at least two) and ``shots`` pictures. Train identities are numbered from
    1, test identities follow. With infrared cameras, which are numbered after the
    others, each identity also passes some of these; all other images stay the same.

    The folder appears at once, when all is written, so processes that call this at
    the same time, or one that is killed, leave no half of a set. If the folder is
    already there with equal parameters, nothing is done.

    Args:
        root: the folder to be made; it must be absent, empty, or written by this.
        seed: of the whole set: people, cameras and moments; non-negative.
        train_identities: number of identities to train with, at least 1.
        test_identities: number of identities to test with, at least 1.
        cameras: number of cameras, 2–9.
        shots: largest number of pictures of an identity by one camera, 2–99.
        infrared: number of infrared cameras besides, 0–7; at most 9 cameras in all.

    Returns:
        ``root``.

    Raises:
        ValueError: if a number is out of its range.
        FileExistsError: if ``root`` holds something else, or a set of other
            parameters or of another version of the drawing.

    Example:
        >>> write_market_folder('data/synthetic', train_identities=40)
        PosixPath('data/synthetic')
    """
    parameters = dict(
        version=DRAWING_VERSION,
        seed=seed,
        train_identities=train_identities,
        test_identities=test_identities,
        cameras=cameras,
        shots=shots,
    )
    if infrared:  # a set without is the same as before there were any
        parameters['infrared'] = infrared
    _check(parameters)
    what = f'{train_identities + test_identities} people'
    return write_once(root, parameters, PARAMETER_FILE, what, _write)


def _write(folder: Path, parameters: dict[str, int]) -> None:
    for name, image in _pictures(parameters):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(file), image[..., ::-1]):
            raise OSError(f'Cannot write {file}.')


def _check(parameters: dict[str, int]) -> None:
    limits = dict(
        seed=(0, 2**31 - 1),
        train_identities=(1, 9999),
        test_identities=(1, 9999),
        cameras=(2, 9),
        shots=(2, 99),
    )
    if 'infrared' in parameters:
        limits['infrared'] = (0, 9 - parameters['cameras'])
    check_ranges(parameters, limits)
    total = parameters['train_identities'] + parameters['test_identities']
    if total > 9999:
        raise ValueError(
            'train_identities + test_identities must be at most 9999, the largest '
            f'number in a Market-1501 file name, got {total}.'
        )


def _pictures(parameters: dict[str, int]) -> Iterator[tuple[str, Image]]:
    """Yield file names below the root, and their pictures."""
    seed, train = parameters['seed'], parameters['train_identities']
    test = parameters['test_identities']
    cameras, shots = parameters['cameras'], parameters['shots']
    for pid in range(1, train + test + 1):
        rng = generator(seed, Stream.SIGHTINGS, pid)
        seen_by = rng.choice(
            cameras, rng.integers(2, min(cameras, 4) + 1), replace=False
        )
        for camera in sorted(seen_by):
            for shot in range(rng.integers(max(2, (shots + 1) // 2), shots + 1)):
                if pid <= train:
                    folder = 'bounding_box_train'
                else:
                    folder = 'bounding_box_test' if shot else 'query'
                image = draw_pedestrian(seed, pid, camera, shot)
                yield f'{folder}/{_name(f"{pid:04d}", pid, camera, shot)}', image
        yield from _infrared_pictures(parameters, pid)
    for number in range(max(1, test // 10)):
        stranger = _STRANGERS + number
        for camera in range(cameras):
            image = draw_pedestrian(seed, stranger, camera, 0)
            name = _name('0000', number, camera, 0)
            yield f'bounding_box_test/{name}', image
            name = _name('-1', number, camera, 0)
            yield f'bounding_box_test/{name}', _bad_box(image)


def _infrared_pictures(
    parameters: dict[str, int], pid: int
) -> Iterator[tuple[str, Image]]:
    """As :func:`_pictures`, those of a person by infrared cameras."""
    count, shots = parameters.get('infrared', 0), parameters['shots']
    if not count:
        return
    seed, visible = parameters['seed'], parameters['cameras']
    rng = generator(seed, Stream.INFRARED_SIGHTINGS, pid)
    seen_by = rng.choice(count, rng.integers(1, count + 1), replace=False)
    for camera in sorted(visible + seen_by):
        for shot in range(rng.integers(max(2, (shots + 1) // 2), shots + 1)):
            if pid <= parameters['train_identities']:
                folder = 'bounding_box_train'
            else:
                folder = 'bounding_box_test' if shot else 'query'
            image = draw_pedestrian(seed, pid, camera, shot, infrared=True)
            yield f'{folder}/{_name(f"{pid:04d}", pid, camera, shot)}', image


def _name(pid: str, moment: int, camera: int, shot: int) -> str:
    return f'{pid}_c{camera + 1}s1_{25 * moment + shot:06d}_{shot:02d}.jpg'


def _bad_box(image: Image) -> Image:
    """Cut a bad detection out of a picture: the legs only."""
    height, width = image.shape[:2]
    legs = image[height // 2 :, : width // 2]
    return np.asarray(cv2.resize(legs, (width, height)), np.uint8)
