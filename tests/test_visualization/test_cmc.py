"""CMC and precision-recall: numbers worked out by hand, and those of the metric."""

from dataclasses import replace

import numpy as np
import pytest
from small_test_set import small_test_set

from mmreid_cc.evaluation import ranking_metrics
from mmreid_cc.visualization import cmc_and_precision
from mmreid_cc.visualization.cmc import interpolated_precision, mean_precision


@pytest.fixture
def images(tmp_path):
    return small_test_set(tmp_path)


def test_interpolation():
    """Matches at ranks 2, 3, 10: precision 1/2, 2/3, 3/10, from the right its best."""
    curve = interpolated_precision(np.array([2, 3, 10]))
    assert len(curve) == 101
    np.testing.assert_allclose(curve[:67], 2 / 3)
    np.testing.assert_allclose(curve[67:], 0.3)


def test_mean(images):
    """Query 0 finds its match at rank 3, query 6 at rank 1."""
    np.testing.assert_allclose(mean_precision(images), (1 / 3 + 1) / 2)


def test_figure(images):
    metrics = ranking_metrics(**images.ranking_arguments(), topk=(1, 2, 3))
    left, right = cmc_and_precision(images).axes
    drawn = left.lines[0].get_ydata()
    expected = [100 * metrics[f'CMC@{k}'] for k in (1, 2, 3)]
    np.testing.assert_allclose(drawn[:3], expected)
    assert left.texts[0].get_text() == 'rank-1: 50.0 %'
    assert right.get_legend().texts[0].get_text() == f'mAP {100 * metrics["mAP"]:.1f} %'


def test_no_match(images):
    with pytest.raises(ValueError, match='No query has a match'):
        cmc_and_precision(replace(images, pids=np.arange(8)))
