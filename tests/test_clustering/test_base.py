import time

import numpy as np
import pytest
import torch

from mmreid_cc.clustering import (
    CLUSTERERS,
    BaseClusterer,
    arguments_taken,
    takes_cameras,
)


@CLUSTERERS.register_module()
class Given(BaseClusterer):
    def __init__(self, labels):
        self.labels = labels
        self.stages = [('a', 0.01), ('b', 0.02), ('a', 0.01)]

    def cluster(self, features):
        assert features.dtype == np.float32
        for name, seconds in self.stages:
            with self.stage(name):
                time.sleep(seconds)
        return self.labels


def test_a_clusterer_of_ones_own_is_built_by_name():
    clusterer = CLUSTERERS.build(dict(type='Given', labels=[7, -5, 3, 7]))
    labels = clusterer.fit_predict(torch.eye(4, dtype=torch.float64))
    assert labels.tolist() == [1, -1, 0, 1]
    assert labels.dtype == np.int64


def test_all_may_be_unclustered():
    assert Given([-1, -1]).fit_predict(np.eye(2)).tolist() == [-1, -1]


def test_seconds_are_those_of_the_last_call():
    clusterer = Given([0])
    assert clusterer.stage_seconds == {}
    clusterer.fit_predict(np.eye(1))
    assert list(clusterer.stage_seconds) == ['a', 'b']
    assert min(clusterer.stage_seconds.values()) >= 0.02  # both times of 'a' count
    assert Given([0]).stage_seconds == {}
    clusterer.stages = [('c', 0)]
    clusterer.fit_predict(np.eye(1))
    assert list(clusterer.stage_seconds) == ['c']


@pytest.mark.parametrize(
    ('labels', 'error', 'message'),
    [
        ([0], ValueError, r'Given\.cluster must return one .*\(2,\), got \(1,\)'),
        ([0.0, 1.0], TypeError, r'Given\.cluster must return integers, got float64'),
    ],
)
def test_labels_of_a_subclass_are_checked(labels, error, message):
    with pytest.raises(error, match=message):
        Given(labels).fit_predict(np.eye(2))


def test_features_are_checked_first():
    with pytest.raises(ValueError, match=r'1 of 2 rows hold NaN .* row 1'):
        Given([0, 0]).fit_predict(np.array([[1.0], [np.nan]]))


def test_the_base_class_is_abstract():
    with pytest.raises(TypeError, match='abstract'):
        BaseClusterer()


def test_arguments_that_are_taken():
    known = dict(cam_ids=[1], tracks=[2], times=[0.5])
    taken = {
        'AutoAgglomerative': ['cam_ids'],
        'AutoDBSCAN': ['cam_ids'],  # but they change nothing
        'DBSCAN': ['cam_ids'],
        'HDBSCAN': ['cam_ids'],
        'InfoMap': [],
        'Tracklets': ['cam_ids', 'tracks', 'times'],
    }
    for name, expected in taken.items():
        arguments = arguments_taken(CLUSTERERS.build(dict(type=name)), **known)
        assert arguments == {key: known[key] for key in expected}


def test_the_replaced_name_still_works():
    with pytest.deprecated_call(match='use arguments_taken'):
        assert takes_cameras(CLUSTERERS.build(dict(type='DBSCAN')))
    with pytest.deprecated_call():
        assert not takes_cameras(CLUSTERERS.build(dict(type='InfoMap')))


def test_repr():
    """Messages name a clusterer by the call that makes it."""
    clusterer = CLUSTERERS.build(dict(type='DBSCAN', eps=0.5, k1=10, k2=3))
    assert repr(clusterer).startswith('DBSCAN(eps=0.5, min_samples=4, k1=10, k2=3')
