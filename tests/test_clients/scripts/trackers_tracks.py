"""Track people in a video by Roboflow's trackers, as docs/own_data.md shows it.

    python trackers_tracks.py video.mp4 detections.csv tracks.txt

The detector is played: `detections.csv` holds frame, x, y, w, h and conf of each box.
"""

import csv
import json
import sys
from collections import defaultdict

import numpy as np
import supervision as sv
from trackers import ByteTrackTracker

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
    kinds = np.zeros(len(boxes), int)
    return sv.Detections(xyxy=boxes[:, :4], confidence=boxes[:, 4], class_id=kinds)


tracker = ByteTrackTracker(frame_rate=10)
with open(out, 'w') as file:
    frames = sv.get_video_frames_generator(video)
    for number, frame in enumerate(frames, start=1):
        people = tracker.update(detect(frame))
        rows = zip(people.xyxy, people.tracker_id, people.confidence, strict=True)
        for (x1, y1, x2, y2), track, confidence in rows:
            if track >= 0:
                row = number, track, x1, y1, x2 - x1, y2 - y1, confidence
                print(*row, sep=',', file=file)
print(json.dumps(number))
