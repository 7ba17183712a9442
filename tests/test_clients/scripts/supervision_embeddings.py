"""Embed the people of supervision's ``Detections``.

    python supervision_embeddings.py pixels.onnx frame.png

The file takes RGB pixels; a frame is read and a detector is played.
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime
import supervision as sv

session = onnxruntime.InferenceSession(sys.argv[1])
(pixels,) = session.get_inputs()
height, width = pixels.shape[2:]
frame = cv2.imread(sys.argv[2])
detections = sv.Detections(
    xyxy=np.array([[10, 20, 42, 84], [60, 20, 92, 84], [10, 20, 42, 84]], np.float32),
    confidence=np.array([0.9, 0.8, 0.1], np.float32),
)
detections = detections[detections.confidence > 0.5]

crops = [sv.crop_image(frame, box) for box in detections.xyxy]
crops = [cv2.resize(crop, (width, height))[:, :, ::-1] for crop in crops]
images = np.stack(crops).transpose(0, 3, 1, 2).astype(np.float32)
detections.data['embedding'] = session.run(None, {pixels.name: images})[0]

print(json.dumps(detections.data['embedding'].tolist()))
