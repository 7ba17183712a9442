"""Track two people on drawn frames by BoxMOT, with our ONNX file for appearance.

    python boxmot_tracks.py reid.onnx

Prints the identities that each person was given, and the embeddings of two crops.
"""

import json
import sys

import numpy as np
from boxmot import StrongSort
from boxmot.reid.core.runtime import ReID

WIDTH, HEIGHT = 32, 64
COLORS = np.array([[40, 40, 220], [220, 120, 30]], np.uint8)  # BGR


def frame_of(time):
    """Two people walk towards and past each other; the second behind the first."""
    lefts = [40 + 8 * time, 280 - 8 * time]
    frame = np.full((160, 360, 3), 90, np.uint8)
    for left, color in reversed(list(zip(lefts, COLORS, strict=True))):
        frame[50 : 50 + HEIGHT, left : left + WIDTH] = color
    people = [0] if abs(lefts[0] - lefts[1]) < WIDTH else [0, 1]
    boxes = [[lefts[p], 50, lefts[p] + WIDTH, 50 + HEIGHT, 0.9, 0] for p in people]
    return frame, np.array(boxes, np.float32), people


weights = sys.argv[1]
tracker = StrongSort(reid_weights=weights, n_init=1)
identities = [set(), set()]
for time in range(30):
    frame, boxes, people = frame_of(time)
    # x1, y1, x2, y2, identity, confidence, class, index of the detection.
    for row in tracker.update(boxes, frame):
        identities[people[int(row[7])]].add(int(row[4]))
frame, boxes, _ = frame_of(0)
embeddings = ReID(weights, device='cpu')(frame, boxes)
print(
    json.dumps(
        {
            'identities': [sorted(found) for found in identities],
            'embeddings': np.asarray(embeddings).tolist(),
        }
    )
)
