"""Each data set of a joint one gets its own row."""

import logging

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmpretrain.structures import DataSample

from mmreid_cc.evaluation.metrics.joint_reid_metric import JointReIDMetric


def samples():
    """Two sets of a query and two gallery images; in the second the match is 2nd."""
    features = torch.tensor([[1.0, 0], [1, 0.1], [0, 1], [1, 0], [0, 1], [1, 0.1]])
    pids = [1, 1, 2, 11, 11, 12]
    return [
        DataSample(
            feature=features[i],
            pid=pids[i],
            cam_id=i,
            is_query=i in (0, 3),
            sample_idx=i,
        )
        for i in range(6)
    ]


def evaluator(sizes):
    made = Evaluator(JointReIDMetric(topk=(1,)))
    made.dataset_meta = {} if sizes is None else {'sizes': sizes}
    made.process(samples())
    return made


def test_rows_and_their_mean(tmp_path):
    log = tmp_path / 'log.txt'
    MMLogger.get_instance(str(tmp_path), log_file=str(log), log_level='INFO')
    metrics = evaluator({'one': 3, 'two': 3}).evaluate(6)
    assert metrics == pytest.approx(
        {
            'reid/mAP': 75,
            'reid/mINP': 75,
            'reid/CMC@1': 50,
            'reid/one/mAP': 100,
            'reid/one/mINP': 100,
            'reid/one/CMC@1': 100,
            'reid/two/mAP': 50,
            'reid/two/mINP': 50,
            'reid/two/CMC@1': 0,
        }
    )
    logging.shutdown()
    table = [line.split() for line in log.read_text().splitlines()][-4:]
    assert table == [
        ['mAP', 'mINP', 'CMC@1'],
        ['one', '100.0', '100.0', '100.0'],
        ['two', '50.0', '50.0', '0.0'],
        ['mean', '75.0', '75.0', '50.0'],
    ]


def test_an_error_names_the_set():
    with pytest.raises(ValueError, match='two: 0 queries and 2 gallery images'):
        evaluator({'one': 4, 'two': 2}).evaluate(6)


def test_another_data_set():
    with pytest.raises(ValueError, match='Use ReIDMetric for it, or put it'):
        evaluator(None).evaluate(6)
