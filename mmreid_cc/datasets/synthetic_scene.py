"""SyntheticScene: crops of people who walk before several drawn cameras."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmreid_cc.registry import DATASETS

from .image_folder import ReIDImageFolder
from .pedestrians.scene_folder import write_scene_folder, write_videos
from .video import CropRules, Recording, cut_crops

CROPS = {'train': 'tracks', 'test': 'true'}  # folder of crops, and suffix of the tracks
RULES = CropRules(per_track=12, min_height=64)


@DATASETS.register_module()
class SyntheticScene(ReIDImageFolder):
    """Crops from drawn videos of several cameras, with camera, track and time.

    The whole way from videos to people, without a download: people walk by the cameras,
    cover each other, come back; a simulated tracker follows them and makes mistakes.
    Videos, track files and crops are written into ``data_root`` at first use, see
    :func:`mmreid_cc.datasets.pedestrians.write_scene` and
    :func:`mmreid_cc.datasets.video.cut_crops`.

    Training sees the crops of the tracker. The test sees the same people by the true
    tracks: for each person and camera one crop is the query, the others are the
    gallery.

    Args:
        data_root (str): Folder for videos and crops. Defaults to ``'data/scene'``.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms of an image.
        seed (int): Seed of people, cameras, walks and mistakes. Defaults to 0.
        people (int): Number of people. Defaults to 40.
        cameras (int): Number of cameras. Defaults to 3.
        seconds (int): Length of the videos. Defaults to 60.
        fps (int): Frames a second. Defaults to 10.

    Raises:
        FileExistsError: If ``data_root`` holds something else.
        ImportError: If PyAV is not installed.
        ValueError: If a number is out of its range.

    Examples:
        .. code:: python

            dataset=dict(type='SyntheticScene', data_root='data/scene')
    """

    def __init__(
        self,
        data_root: str = 'data/scene',
        split: str = 'train',
        pipeline: Sequence[dict | Callable] = (),
        seed: int = 0,
        people: int = 40,
        cameras: int = 3,
        seconds: int = 60,
        fps: int = 10,
    ) -> None:
        write_scene_folder(
            data_root,
            _write,
            seed=seed,
            people=people,
            cameras=cameras,
            seconds=seconds,
            fps=fps,
            crops=True,
        )
        folder = str(Path(data_root) / CROPS.get(split, ''))
        lists = 'crops.csv', 'query.csv', 'gallery.csv'
        super().__init__(folder, split, pipeline, *lists)


def _write(folder: Path, parameters: dict[str, Any]) -> None:
    """Write videos, track files and crops."""
    write_videos(folder, parameters)
    for kind in CROPS.values():
        recordings = [
            Recording(
                str(folder / f'{name}.mp4'), str(folder / f'{name}_{kind}.csv'), name
            )
            for name in (f'cam{n + 1}' for n in range(parameters['cameras']))
        ]
        cut_crops(recordings, folder / kind, RULES)
    _write_test_lists(folder / CROPS['test'])


def _write_test_lists(folder: Path) -> None:
    """Divide the crops of a folder into query and gallery."""
    with (folder / 'crops.csv').open(newline='', encoding='utf-8') as lines:
        rows = list(csv.DictReader(lines))
    last = {(row['pid'], row['cam']): row['path'] for row in rows}
    queries = set(last.values())
    for name, is_query in (('query', True), ('gallery', False)):
        with (folder / f'{name}.csv').open('w', newline='', encoding='utf-8') as lines:
            writer = csv.DictWriter(lines, list(rows[0]), lineterminator='\n')
            writer.writeheader()
            writer.writerows(r for r in rows if (r['path'] in queries) is is_query)
