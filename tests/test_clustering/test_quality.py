import numpy as np
import pytest

from mmreid_cc.clustering import cluster_statistics, clustering_quality


def test_statistics_worked_out_by_hand():
    labels = [0, 1, 1, 2, 2, 2, 2, -1, -1, -1]  # sizes 1, 2, 4
    assert cluster_statistics(labels) == {
        'clusters': 3,
        'unclustered': 0.3,
        'size_min': 1,
        'size_q25': 1.5,
        'size_median': 2,
        'size_q75': 3,
        'size_max': 4,
    }


def test_undefined_statistics_are_left_out():
    assert cluster_statistics([-1, -1]) == {'clusters': 0, 'unclustered': 1}
    assert cluster_statistics([]) == {'clusters': 0}


def test_quality_worked_out_by_hand():
    # Clusters {a a b} and {b b c}: four of six have their cluster's first identity.
    quality = clustering_quality([0, 0, 0, 1, 1, 1], [1, 1, 2, 2, 2, 3])
    assert quality['purity'] == pytest.approx(4 / 6)
    # Pairs together in both: 1 + 1; in clusters 6, in identities 1 + 3, of 15:
    # (2 − 6·4/15) / ((6 + 4)/2 − 6·4/15) = 0.4 / 3.4.
    assert quality['ARI'] == pytest.approx(0.4 / 3.4)
    # H(clusters) = ln 2; H(identities) = ln 6 − (2·ln 2 + 3·ln 3)/6;
    # I = H(identities) − H(identities | cluster), the latter ln 3 − 2/3·ln 2 in both.
    h_identities = np.log(6) - (2 * np.log(2) + 3 * np.log(3)) / 6
    information = h_identities - (np.log(3) - 2 / 3 * np.log(2))
    expected = information / ((np.log(2) + h_identities) / 2)
    assert quality['NMI'] == pytest.approx(expected)


def test_unclustered_and_unknown_images_do_not_count():
    assert clustering_quality([0, 0, 1, 1, -1, 2], [5, 5, 6, 6, 5, -1]) == {
        'ARI': 1,
        'NMI': 1,
        'purity': 1,
    }
    assert clustering_quality([-1, 0], [3, -1]) == {}
    assert clustering_quality([], []) == {}


def test_wrong_arguments():
    with pytest.raises(ValueError, match='2 labels do not fit 1 identities'):
        clustering_quality([0, 1], [0])
    with pytest.raises(TypeError, match='identities must be integers, got float64'):
        clustering_quality([0], [0.5])
    with pytest.raises(TypeError, match='labels must be integers'):
        cluster_statistics(np.array([0.0]))
