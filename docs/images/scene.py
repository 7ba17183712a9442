"""Draws scene.png: frames of a drawn scene, with the boxes of its simulated tracker.

python docs/images/scene.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from mmreid_cc.datasets.pedestrians import write_scene
from mmreid_cc.datasets.video import open_frames, read_tracks

SHOWN = (66, 72, 78)  # frames
COLOURS = np.random.default_rng(3).integers(0, 200, (100, 3)).tolist()


def row_of(scene: Path, camera: str) -> np.ndarray:
    """Frames of a camera side by side."""
    tracks = read_tracks(scene / f'{camera}_tracks.csv')
    pictures = []
    for frame in open_frames(scene / f'{camera}.mp4'):
        if frame.number not in SHOWN:
            continue
        picture = frame.pixels()
        for row in np.flatnonzero(tracks.frames == frame.number):
            x, y, w, h = tracks.boxes[row].round().astype(int).tolist()
            track = int(tracks.ids[row])
            colour = COLOURS[track % len(COLOURS)]
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, 2)
            cv2.putText(picture, str(track), (x, y - 4), 0, 0.7, colour, 2)
        pictures.append(cv2.resize(picture, (360, 202), interpolation=cv2.INTER_AREA))
    return np.hstack(pictures)


with TemporaryDirectory() as folder:
    scene = write_scene(Path(folder) / 'scene', people=16, cameras=2, seconds=20, fps=5)
    picture = np.vstack([row_of(scene, camera) for camera in ('cam1', 'cam2')])
cv2.imwrite(str(Path(__file__).with_suffix('.png')), picture)
