"""What holds for the metrics of any ranking.

That they equal a textbook's is a property in ``test_evaluation/test_ranking.py``.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mmreid_cc.evaluation import ranking_metrics

TOPK = (1, 2, 5, 50)


@st.composite
def rankings(draw):
    """Distances without ties, of any identities and cameras."""
    queries, images = draw(st.integers(1, 6)), draw(st.integers(1, 14))

    def numbers(count, low, high):
        values = st.integers(low, high)
        return np.array(draw(st.lists(values, min_size=count, max_size=count)))

    seed = draw(st.integers(0, 2**31))
    distance = np.random.default_rng(seed).permutation(queries * images)
    return (
        distance.reshape(queries, images).astype(np.float64),
        numbers(queries, 0, 3),
        numbers(images, -1, 3),
        numbers(queries, 1, 2),
        numbers(images, 1, 2),
    )


def measured(distance, query_pids, gallery_pids, query_cams, gallery_cams):
    labels = query_pids, gallery_pids, query_cams, gallery_cams
    assume(has_match(*labels))
    return ranking_metrics(None, None, *labels, topk=TOPK, distance=distance)


def has_match(query_pids, gallery_pids, query_cams, gallery_cams):
    same = query_pids[:, None] == gallery_pids
    return (same & (query_cams[:, None] != gallery_cams)).any()


@settings(deadline=None, max_examples=200)
@given(rankings())
def test_all_are_shares(ranking):
    metrics = measured(*ranking)
    assert all(0 < metrics[name] <= 1 for name in ('mAP', 'mINP'))
    cmc = [metrics[f'CMC@{k}'] for k in TOPK]
    assert cmc == sorted(cmc)
    assert 0 <= cmc[0] <= cmc[-1] == 1  # there are at most 14 images


@settings(deadline=None, max_examples=200)
@given(rankings(), st.randoms(use_true_random=False))
def test_the_order_of_gallery_and_queries_changes_nothing(ranking, random):
    distance, query_pids, gallery_pids, query_cams, gallery_cams = ranking
    rows = random.sample(range(len(query_pids)), len(query_pids))
    columns = random.sample(range(len(gallery_pids)), len(gallery_pids))
    shuffled = measured(
        distance[rows][:, columns],
        query_pids[rows],
        gallery_pids[columns],
        query_cams[rows],
        gallery_cams[columns],
    )
    assert shuffled == pytest.approx(measured(*ranking), abs=1e-12)


@settings(deadline=None, max_examples=200)
@given(rankings())
def test_a_perfect_ranking_has_ones(ranking):
    distance, query_pids, gallery_pids, *cams = ranking
    wrong = query_pids[:, None] != gallery_pids
    metrics = measured(distance + 1000 * wrong, query_pids, gallery_pids, *cams)
    assert metrics == pytest.approx(dict.fromkeys(metrics, 1))


@settings(deadline=None, max_examples=200)
@given(rankings())
def test_only_the_order_of_distances_counts(ranking):
    distance, *labels = ranking
    assert measured(np.sqrt(distance) + 3, *labels) == measured(distance, *labels)


@settings(deadline=None, max_examples=200)
@given(rankings())
def test_a_better_ranking_scores_no_less(ranking):
    """One match, brought nearer than everything else."""
    distance, query_pids, gallery_pids, query_cams, gallery_cams = ranking
    before = measured(*ranking)
    match = (query_pids[:, None] == gallery_pids) & (
        query_cams[:, None] != gallery_cams
    )
    row, column = np.argwhere(match)[0]
    better = distance.copy()
    better[row, column] = -1
    after = measured(better, query_pids, gallery_pids, query_cams, gallery_cams)
    assert all(after[name] >= before[name] - 1e-12 for name in before)
