"""The protocol of SYSU-MM01 by examples that are worked out by hand."""

import numpy as np
import pytest
import torch

from mmreid_cc.evaluation.metrics import SYSUMetric
from mmreid_cc.evaluation.metrics.sysu_metric import draw_gallery, identity_cmc


def results(rows):
    """Of rows (angle in degrees, identity, camera, is_query)."""
    angles = torch.tensor([row[0] for row in rows]).deg2rad()
    fields = [(index, *row[1:]) for index, row in enumerate(rows)]
    return [torch.stack([angles.cos(), angles.sin()], dim=1), torch.tensor(fields)]


def test_the_camera_beside_is_left_out():
    """A query of camera 3 must not find its person in camera 2, one of camera 6 may.

    The gallery by angle to the queries at 0: person 1 at 1 (camera 2), person 2 at 10
    (camera 1), person 1 at 20 (camera 1). Camera 3: the first is left out, so the match
    is the second of two: AP 1/2, CMC@1 0. Camera 6: matches at places 1 and 3: AP
    (1 + 2/3) / 2, CMC@1 1.
    """
    gallery = [(1.0, 1, 2, 0), (10.0, 2, 1, 0), (20.0, 1, 1, 0)]
    for camera, expected in ((3, (50, 0)), (6, (100 * 5 / 6, 100))):
        found = SYSUMetric(topk=(1, 2)).compute_metrics(
            results([(0.0, 1, camera, 1), *gallery])
        )
        assert (found['mAP'], found['CMC@1']) == pytest.approx(expected, abs=1e-4)
        assert found['CMC@2'] == 100


def test_cmc_counts_people():
    """Three images of person 2 before the match take one place, not three."""
    gallery = [(1.0, 2, 1, 0), (2.0, 2, 4, 0), (3.0, 2, 5, 0), (4.0, 1, 1, 0)]
    found = SYSUMetric(topk=(1, 2)).compute_metrics(results([(0.0, 1, 6, 1), *gallery]))
    assert found['CMC@1'] == 0
    assert found['CMC@2'] == 100
    assert found['mAP'] == pytest.approx(25)


def test_queries_without_a_match_count_nowhere():
    """Person 9 is in no gallery, person 1 only in the camera that is left out."""
    query, gallery = np.array([[1.0, 0]] * 3), np.array([[1.0, 0], [0, 1.0]])
    found = identity_cmc(
        query, gallery, np.array([9, 1, 2]), np.array([1, 2]), np.array([6, 2, 6]),
        np.array([2, 1]), topk=(1, 2),
    )  # fmt: skip
    assert found == {'CMC@1': 0.0, 'CMC@2': 1.0}


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        ((0.0, 1, 5, 1), r'query images must be of cameras \(3, 6\), .* of \[5\]'),
        ((0.0, 1, 7, 0), r'gallery images must be of cameras \(1, 2, 4, 5\), .* \[7\]'),
    ],
)
def test_cameras_outside_of_the_protocol(row, message):
    with pytest.raises(ValueError, match=message):
        SYSUMetric().compute_metrics(results([(0.0, 1, 3, 1), (0.0, 1, 1, 0), row]))


def test_draws():
    """So many of each person and camera, all if there are fewer; others by seed."""
    rng = np.random.default_rng(0)
    pids, cams = rng.integers(5, size=200), rng.integers(1, 5, size=200)
    pids[0], cams[:1] = 9, 1  # one image only
    for shots in (1, 3):
        drawn = draw_gallery(pids, cams, shots, seed=0)
        assert len(set(drawn)) == len(drawn)
        pairs, found = np.unique(
            np.stack([pids, cams])[:, drawn], axis=1, return_counts=True
        )
        assert pairs.shape[1] == 21
        assert found.sum() == 20 * shots + 1
        assert found.max() == shots
        again = draw_gallery(pids, cams, shots, seed=0)
        np.testing.assert_array_equal(drawn, again)
        assert drawn.tolist() != draw_gallery(pids, cams, shots, seed=1).tolist()


def test_means_over_trials():
    """Each trial has a gallery of its own; the mean is that of single trials."""
    rng = np.random.default_rng(1)
    rows = [
        (float(angle), int(pid), int(cam), int(cam in (3, 6)))
        for angle, pid, cam in zip(
            rng.uniform(0, 180, 300), rng.integers(8, size=300),
            rng.integers(1, 7, size=300), strict=True,
        )
    ]  # fmt: skip
    data = results(rows)
    whole = SYSUMetric(trials=3).compute_metrics(data)
    gallery = [row for row in rows if not row[3]]
    queries = [row for row in rows if row[3]]
    pids, cams = np.array([row[1:3] for row in gallery]).T
    singles = []
    for trial in range(3):
        drawn = [gallery[index] for index in draw_gallery(pids, cams, 1, trial)]
        metric = SYSUMetric(shots=100, trials=1)
        singles.append(metric.compute_metrics(results([*queries, *drawn])))
    for name, value in whole.items():
        mean = np.mean([single[name] for single in singles])
        assert value == pytest.approx(mean, abs=1e-4), name
    assert len({round(single['mAP'], 6) for single in singles}) == 3


def test_errors():
    with pytest.raises(ValueError, match='must be positive, got 0 and 10'):
        SYSUMetric(shots=0)
    with pytest.raises(ValueError, match='1 queries and 0 gallery images'):
        SYSUMetric().compute_metrics(results([(0.0, 1, 3, 1)]))
