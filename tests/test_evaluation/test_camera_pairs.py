import numpy as np

from mmreid_cc.evaluation import ranking_metrics
from mmreid_cc.evaluation.functional.camera_pairs import camera_pair_metrics


def test_each_ordered_pair_is_ranked_alone():
    rng = np.random.default_rng(0)
    queries, gallery = rng.standard_normal((30, 8)), rng.standard_normal((90, 8))
    query_pids, gallery_pids = rng.integers(0, 5, 30), rng.integers(-1, 5, 90)
    query_cams, gallery_cams = rng.choice([1, 2, 7], 30), rng.choice([1, 2], 90)
    metrics = camera_pair_metrics(
        queries, gallery, query_pids, gallery_pids, query_cams, gallery_cams
    )

    # With the same camera on both sides every match is left out.
    pairs = ['c1_c2', 'c2_c1', 'c7_c1', 'c7_c2']
    names = [f'{name}_{pair}' for pair in pairs for name in ('mAP', 'CMC@1')]
    assert list(metrics) == names
    query, image = query_cams == 7, gallery_cams == 2
    expected = ranking_metrics(
        queries[query],
        gallery[image],
        query_pids[query],
        gallery_pids[image],
        query_cams[query],
        gallery_cams[image],
    )
    assert metrics['mAP_c7_c2'] == expected['mAP']
    assert metrics['CMC@1_c7_c2'] == expected['CMC@1']


def test_one_camera_without_exclusion_and_a_pair_without_a_match():
    metrics = camera_pair_metrics(
        np.eye(2),
        np.eye(2),
        np.array([1, 2]),
        np.array([1, 9]),
        np.array([4, 5]),
        np.array([4, 4]),
        exclude_same_camera=False,
    )
    assert metrics == {'mAP_c4_c4': 1.0, 'CMC@1_c4_c4': 1.0}
