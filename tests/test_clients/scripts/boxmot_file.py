"""Track people in a video by BoxMOT, as docs/own_data.md shows it.

    python boxmot_file.py video.mp4 detections.csv tracks.txt

The detector is played: `detections.csv` holds frame, x, y, w, h and conf of each box.
"""

import csv
import json
import sys
from collections import defaultdict

import cv2
import numpy as np
from boxmot import ByteTrack

video, played, out = sys.argv[1:]
found = defaultdict(list)
with open(played) as lines:
    for row in csv.DictReader(lines):
        x, y, w, h, conf = (float(row[name]) for name in ('x', 'y', 'w', 'h', 'conf'))
        if conf > 0.5:  # the share of the person that can be seen
            found[int(row['frame'])].append([x, y, x + w, y + h, conf])
shown = 0


def detect(frame):
    global shown
    shown += 1
    boxes = np.array(found[shown], np.float32).reshape(-1, 5)
    return np.pad(boxes, ((0, 0), (0, 1)))


tracker = ByteTrack()
video = cv2.VideoCapture(video)
with open(out, 'w') as file:
    number = 0
    while (read := video.read())[0]:
        number += 1
        rows = tracker.update(detect(read[1]), read[1])
        for x1, y1, x2, y2, track, confidence, *_ in rows:
            row = number, int(track), x1, y1, x2 - x1, y2 - y1, confidence
            print(*row, sep=',', file=file)
print(json.dumps(number))
