import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from mmreid_cc.evaluation import ReRankedDistance, re_ranking, roc_curve
from mmreid_cc.evaluation.functional import distances


def labels(queries, images, seed):
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, 5, queries),
        rng.integers(-1, 5, images),
        rng.integers(0, 3, queries),
        rng.integers(0, 3, images),
    )


def features(queries, images, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, 8)).astype(np.float32) for n in (queries, images)]


def counted_pairs(distance, labels, exclude=True):
    """The distances of the pairs that count, and which are of one identity."""
    query_pids, gallery_pids, query_cams, gallery_cams = labels
    same = query_pids[:, None] == gallery_pids
    kept = np.broadcast_to(gallery_pids != -1, same.shape)
    if exclude:
        kept = kept & ~(same & (query_cams[:, None] == gallery_cams))
    return distance[kept], same[kept]


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 8), st.integers(1, 20), st.integers(0, 1000), st.booleans())
def test_equals_sklearn_where_all_distances_are_ends_of_bins(
    queries, images, seed, exclude
):
    data = labels(queries, images, seed)
    rng = np.random.default_rng(seed)
    distance = rng.integers(0, 9, (queries, images)).astype(np.float32)
    distance[0, 0], distance[-1, -1] = 0, 8  # a bin is 8/65536 wide
    used, same = counted_pairs(distance, data, exclude)
    options = dict(distance=distance, exclude_same_camera=exclude)
    if same.all() or not same.any():
        with pytest.raises(
            ValueError, match='An ROC curve needs pairs of one identity'
        ):
            roc_curve(None, None, *data, **options)
        return
    curve = roc_curve(None, None, *data, **options)
    expected = metrics.roc_curve(same, -used, drop_intermediate=False)
    np.testing.assert_allclose(curve.fpr, expected[0], atol=1e-12)
    np.testing.assert_allclose(curve.tpr, expected[1], atol=1e-12)
    np.testing.assert_array_equal(curve.thresholds, -expected[2])


def test_is_exact_at_the_thresholds_and_misses_a_bin_at_most():
    data = labels(60, 400, seed=1)
    query, gallery = features(60, 400)
    curve = roc_curve(query, gallery, *data)
    unit = [part / np.linalg.norm(part, axis=1)[:, None] for part in (query, gallery)]
    used, same = counted_pairs(2 - 2 * unit[0] @ unit[1].T, data)
    fpr, tpr, thresholds = metrics.roc_curve(same, -used, drop_intermediate=False)
    for i in range(1, len(curve.fpr), 97):
        # float32 rounding of a distance is far smaller than a bin
        near = used <= curve.thresholds[i]
        assert curve.fpr[i] == pytest.approx(near[~same].mean(), abs=1e-4)
        assert curve.tpr[i] == pytest.approx(near[same].mean(), abs=1e-3)
    for level in (1e-3, 1e-2, 0.1, 0.5):
        last = np.searchsorted(fpr, level, 'right') - 1
        one_bin_nearer = -thresholds[last] - 4 / 65536
        lowest = (used <= one_bin_nearer)[same].mean()
        assert lowest - 1e-3 <= curve.tpr_at(level) <= tpr[last]


def test_a_curve_worked_out_by_hand():
    query, gallery = np.eye(2), np.array([[1, 0], [0.6, 0.8], [0, 1]])
    pids, cams = ([1, 2], [1, 1, 2]), ([0, 0], [1, 1, 1])
    curve = roc_curve(query, gallery, *pids, *cams)
    # distances of the one identity 0, 0.8, 0; of two 2, 2, 0.4
    assert curve.fpr.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 3, 1])
    assert curve.tpr.tolist() == pytest.approx([0, 2 / 3, 2 / 3, 1, 1])
    assert curve.thresholds[0] == -np.inf
    np.testing.assert_allclose(curve.thresholds[1:], [0, 0.4, 0.8, 2], atol=1e-4)
    assert curve.tpr_at(0) == curve.tpr_at(0.3) == pytest.approx(2 / 3)
    assert curve.tpr_at(0.34) == curve.tpr_at(1) == 1


def test_re_ranked_distance():
    data = labels(30, 200, seed=2)
    parts = features(30, 200)
    curve = roc_curve(None, None, *data, distance=ReRankedDistance(*parts))
    used, same = counted_pairs(re_ranking(*parts), data)
    for i in range(0, len(curve.fpr), 53):
        near = used <= curve.thresholds[i]
        assert curve.tpr[i] == near[same].mean()
        assert curve.fpr[i] == near[~same].mean()


def test_chunks_change_nothing(monkeypatch):
    data = labels(40, 90, seed=3)
    distance = np.random.default_rng(0).random((40, 90))
    expected = roc_curve(None, None, *data, distance=distance)
    monkeypatch.setattr(distances, 'CHUNK_BYTES', 5000)
    for part, whole in zip(
        roc_curve(None, None, *data, distance=distance), expected, strict=True
    ):
        np.testing.assert_array_equal(part, whole)


def test_all_distances_equal():
    curve = roc_curve(
        None, None, [1], [1, 2], [0], [1, 1], distance=np.full((1, 2), 0.5)
    )
    assert curve.fpr.tolist() == curve.tpr.tolist() == [0, 1]
    assert curve.thresholds.tolist() == [-np.inf, 0.5]


def test_one_identity_only():
    with pytest.raises(ValueError, match=r'there are 1 and 0.*exclude_same_camera'):
        roc_curve(None, None, [1], [1], [0], [1], distance=[[0.5]])
