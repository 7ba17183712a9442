"""Clusters judged in a validation, without identities."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from mmreid_cc.clustering import DBSCAN, AutoAgglomerative, label_silhouette
from mmreid_cc.evaluation.metrics import ClusterMetric


def samples(features, cam_ids):
    made = []
    for i, (feature, camera) in enumerate(zip(features, cam_ids, strict=True)):
        sample = DataSample(metainfo=dict(sample_idx=i, cam_id=int(camera)))
        sample.set_field(torch.from_numpy(feature), 'feature')
        made.append(sample)
    return made


def people(count, images, noise):
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(count, 32)), images, axis=0)
    rows += noise * rng.normal(size=rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def evaluate(data, **arguments):
    evaluator = Evaluator(ClusterMetric(**arguments))
    for first in range(0, len(data), 16):
        evaluator.process(data[first : first + 16])
    return evaluator.evaluate(len(data))


def test_is_that_of_the_clusterer():
    features = people(10, 6, 0.4)
    config = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=1)
    found = evaluate(samples(features, [0] * 60), clusterer=config)
    labels = DBSCAN(0.6, 2, k1=6, k2=1).fit_predict(features)
    assert found == {
        'cluster/silhouette': label_silhouette(features, labels),
        'cluster/people': 10,
        'cluster/clusters': 10,
        'cluster/unclustered': 0,
    }


def test_better_features_score_higher():
    scores = [
        evaluate(samples(people(10, 6, noise), [0] * 60))['cluster/silhouette']
        for noise in (0.3, 0.8)
    ]
    assert scores[0] > scores[1]


def test_cameras_reach_the_clusterer():
    features, cameras = people(10, 6, 0.4), np.arange(60) % 2
    found = evaluate(
        samples(features, cameras), clusterer=dict(type='AutoAgglomerative')
    )
    labels = AutoAgglomerative().fit_predict(features, cameras)
    assert found['cluster/silhouette'] == label_silhouette(features, labels)


def test_a_missing_field_is_named():
    data = samples(people(2, 2, 0.1), [0] * 4)
    data[0].pop('cam_id')
    with pytest.raises(ValueError, match=r"ClusterMetric needs \['cam_id'\]"):
        evaluate(data)
