"""Reliable clusters against a plain loop over the paper's notation."""

import numpy as np
import pytest
from dense_oracle import re_id_like

from mmreid_cc.clustering import CLUSTERERS, DBSCAN, SelfPacedDBSCAN
from mmreid_cc.clustering.self_paced_dbscan import overlap


def sets(labels):
    """I(i), the images in the cluster of each image; itself, where it has none."""
    return [
        {i} if label < 0 else set(np.flatnonzero(labels == label).tolist())
        for i, label in enumerate(labels)
    ]


def plain_loop(features, eps, gap, share, alpha=None):
    """The criterion of the paper, image by image; returns labels and α."""
    labels, tight, loose = (
        DBSCAN(threshold, 3, k1=12, k2=4).fit_predict(features)
        for threshold in (eps, eps - gap, eps + gap)
    )
    own, in_tight, in_loose = sets(labels), sets(tight), sets(loose)
    n = len(labels)
    independence = [
        len(own[i] & in_loose[i]) / len(own[i] | in_loose[i]) for i in range(n)
    ]
    compactness = [
        len(own[i] & in_tight[i]) / len(own[i] | in_tight[i]) for i in range(n)
    ]
    clusters = range(labels.max() + 1)
    members = [np.flatnonzero(labels == cluster) for cluster in clusters]
    of_cluster = [max(independence[i] for i in images) for images in members]
    if alpha is None:
        place = min(len(of_cluster) - 1, round(share * len(of_cluster)))
        alpha = sorted(of_cluster, reverse=True)[place]
    kept = np.full(n, -1)
    for cluster, images in enumerate(members):
        beta = max(compactness[i] for i in images)
        for i in images:
            if of_cluster[cluster] >= alpha and compactness[i] >= beta:
                kept[i] = cluster
    return np.unique(kept, return_inverse=True)[1] - (-1 in kept), alpha


@pytest.mark.parametrize('share', [0, 0.5, 0.9, 1])
@pytest.mark.parametrize('seed', range(4))
def test_equals_the_loop_of_the_formulas(seed, share):
    features, _ = re_id_like(300, 20, 16, noise=0.9, seed=seed)
    clusterer = SelfPacedDBSCAN(0.55, 0.15, share, 3, k1=12, k2=4)
    expected, alpha = plain_loop(features, 0.55, 0.15, share)
    np.testing.assert_array_equal(clusterer.fit_predict(features), expected)
    assert clusterer.state == {'least_independence': alpha}
    plain = DBSCAN(0.55, 3, k1=12, k2=4).fit_predict(features)
    assert (expected < 0).sum() > (plain < 0).sum()  # something was given up
    # The threshold of the first call stays.
    others, _ = re_id_like(300, 20, 16, noise=1.1, seed=seed + 10)
    expected, _ = plain_loop(others, 0.55, 0.15, share, alpha)
    np.testing.assert_array_equal(clusterer.fit_predict(others), expected)
    assert clusterer.state == {'least_independence': alpha}


def test_state_decides_like_the_first_call():
    features, _ = re_id_like(300, 20, 16, noise=0.9, seed=0)
    others, _ = re_id_like(300, 20, 16, noise=1.1, seed=10)
    first, resumed = (
        SelfPacedDBSCAN(0.55, 0.15, 0.5, 3, k1=12, k2=4) for _ in range(2)
    )
    first.fit_predict(features)
    resumed.state = first.state
    found = first.fit_predict(others)
    np.testing.assert_array_equal(resumed.fit_predict(others), found)
    anew = SelfPacedDBSCAN(0.55, 0.15, 0.5, 3, k1=12, k2=4).fit_predict(others)
    assert not np.array_equal(anew, found)


def test_nothing_clustered_sets_no_threshold():
    clusterer = SelfPacedDBSCAN(k1=4, k2=2)
    assert (clusterer.fit_predict(np.eye(3)) == -1).all()
    assert clusterer.state == {}


def test_overlap():
    labels, others = np.array([0, 0, 0, 1, -1]), np.array([0, 0, 1, 1, -1])
    np.testing.assert_allclose(overlap(labels, others), [2 / 3, 2 / 3, 1 / 4, 1 / 2, 1])


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(eps=0.99), r'eps ± eps_gap must lie in \(0, 1\), got 0.99 ± 0.02'),
        (dict(eps_gap=-0.1), r'must lie in \(0, 1\), got 0.6 ± -0.1'),
        (dict(independent_share=2), r'independent_share must lie in \[0, 1\], got 2'),
        (dict(min_samples=0), 'min_samples'),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CLUSTERERS.build(dict(type='SelfPacedDBSCAN', **arguments))
