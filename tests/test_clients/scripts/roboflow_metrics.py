"""Evaluate given features by roboflow's ``reid``.

    python roboflow_metrics.py features.npz

The file holds ``{query,gallery}_{features,pids,cams}``.
"""

import json
import sys

import numpy as np
from reid import ReIDModel, ReIDSplit


class GivenFeatures(ReIDModel):
    """In place of a network: the path of an image is its row."""

    def __init__(self, features):
        self.features = features

    def extract_embeddings_from_paths(self, paths, batch_size=32):
        return self.features[[int(path) for path in paths]]


data = np.load(sys.argv[1])
splits, first = [], 0
for name in ('query', 'gallery'):
    count = len(data[f'{name}_pids'])
    paths = [str(row) for row in range(first, first + count)]
    splits.append(ReIDSplit(paths, data[f'{name}_pids'], data[f'{name}_cams']))
    first += count
features = np.concatenate([data['query_features'], data['gallery_features']])
result = GivenFeatures(features).evaluate(*splits)
print(json.dumps({**result.metrics, 'queries': result.num_queries}))
