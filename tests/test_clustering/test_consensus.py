"""The vote of many clusterings equals average linkage on the dense matrix of votes."""

import time

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.metrics import adjusted_rand_score

from mmreid_cc.clustering import consensus


def votes_of(labelings):
    """The share of clusterings that put two images together, (N, N)."""
    shares = np.zeros((len(labelings[0]),) * 2)
    for labels in labelings:
        together = (labels[:, None] == labels) & (labels >= 0)
        shares += together / len(labelings)
    np.fill_diagonal(shares, 1)
    return shares


def textbook(labelings, share):
    """One merge at a time, on the dense matrix."""
    distance = squareform(1 - votes_of(labelings), checks=False).clip(0)
    return fcluster(linkage(distance, 'average'), 1 - share + 1e-9, 'distance')


def noisy(rng, people, count, wrong):
    """Clusterings of the same people, each with errors of its own."""
    found = []
    for _ in range(count):
        labels = people.copy()
        moved = rng.random(len(people)) < wrong
        labels[moved] = rng.integers(-1, people.max() + 1, moved.sum())
        found.append(labels)
    return found


@pytest.mark.parametrize('share', [0.13, 0.23, 0.43])
@pytest.mark.parametrize('wrong', [0.3, 0.5])
def test_equals_the_textbook(share, wrong):
    rng = np.random.default_rng(round(100 * wrong))
    people = rng.permutation(np.repeat(np.arange(12), 5))
    found = noisy(rng, people, 401, wrong)  # so many that ties are rare
    labels = consensus(found, share)
    expected = textbook(found, share)
    alone = np.bincount(expected)[expected] == 1
    assert np.array_equal(labels < 0, alone)
    assert adjusted_rand_score(expected[~alone], labels[~alone]) == 1


@pytest.mark.parametrize('share', [0.2, 0.4, 0.6])
def test_no_two_groups_are_left_to_merge(share):
    rng = np.random.default_rng(3)
    found = noisy(rng, np.repeat(np.arange(20), 5), 7, 0.6)
    labels = consensus(found, share)
    alone = labels < 0
    labels[alone] = labels.max() + 1 + np.arange(alone.sum())
    groups = np.eye(labels.max() + 1)[labels]
    groups /= groups.sum(axis=0)
    means = groups.T @ votes_of(found) @ groups
    np.fill_diagonal(means, 0)
    assert means.max() < share
    inside = [votes_of(found)[np.ix_(own, own)] for own in groups.T.astype(bool)]
    assert all(votes.mean() >= share for votes in inside)


def test_errors_are_outvoted():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(30), 6)
    found = noisy(rng, people, 15, 0.3)
    assert all(adjusted_rand_score(people, one) < 0.7 for one in found)
    assert adjusted_rand_score(people, consensus(found, 0.25)) > 0.95


def test_votes_by_hand():
    found = [np.array([1, 1, 0, 0, -1])] * 2 + [np.array([0, 0, 0, -1, -1])]
    assert consensus(found, 1.0).tolist() == [0, 0, -1, -1, -1]
    # The third and the fourth image have two votes of three.
    assert consensus(found, 0.6).tolist() == [0, 0, 1, 1, -1]
    # Of the pairs between both groups, every second has one vote of three.
    assert consensus(found, 0.17).tolist() == [0, 0, 1, 1, -1]
    assert consensus(found, 0.16).tolist() == [0, 0, 0, 0, -1]


def test_several_votes_are_as_good_as_repeated_clusterings():
    rng = np.random.default_rng(4)
    found = noisy(rng, np.repeat(np.arange(20), 5), 6, 0.5)
    votes = [3, 1, 1, 2, 1, 1]
    repeated = [one for one, n in zip(found, votes, strict=True) for _ in range(n)]
    labels = consensus(found, 0.4, votes)
    assert np.array_equal(labels, consensus(repeated, 0.4))
    assert not np.array_equal(labels, consensus(found, 0.4))


def test_several_votes_by_hand():
    one, other = np.array([0, 0, 1, 1, -1]), np.array([0, 0, 0, -1, -1])
    # The third image has one vote of four with the first and the second.
    assert consensus([one, other], 0.26, [3, 1]).tolist() == [0, 0, 1, 1, -1]
    # The third and the fourth image have three votes of four.
    assert consensus([one, other], 0.76, [3, 1]).tolist() == [0, 0, -1, -1, -1]
    assert consensus([one, other], 0.26, [1, 3]).tolist() == [0, 0, 0, -1, -1]


def test_the_order_of_clusterings_and_their_numbers_do_not_matter():
    rng = np.random.default_rng(1)
    found = noisy(rng, np.repeat(np.arange(20), 5), 9, 0.5)
    labels = consensus(found, 0.3)
    renamed = [np.where(one < 0, -1, one.max() - one) for one in reversed(found)]
    assert np.array_equal(consensus(renamed, 0.3), labels)


def test_odd_clusterings():
    alone = np.full(4, -1)
    assert consensus([alone, alone], 0.25).tolist() == [-1] * 4
    assert consensus([np.zeros(1, int)], 0.25).tolist() == [-1]
    one = np.array([0, 1, 0, -1, 1, -1])
    assert consensus([one], 1.0).tolist() == one.tolist()
    assert consensus([one] * 3, 0.25).tolist() == one.tolist()
    assert consensus([np.zeros(5, np.int32)] * 3, 0.25).tolist() == [0] * 5


def test_many_copies_need_no_matrix():
    found = [np.zeros(100_000, np.int32), np.arange(100_000, dtype=np.int32) // 50_000]
    start = time.process_time()
    labels = consensus(found, 0.75)
    assert time.process_time() - start < 10
    assert labels.tolist() == found[1].tolist()


def test_more_pairs_than_fit_into_a_block():
    rng = np.random.default_rng(2)
    people = np.repeat(np.arange(8), 250)
    found = noisy(rng, people, 9, 0.3)
    assert sum((np.bincount(one[one >= 0]) ** 2).sum() for one in found) > 2_000_000
    assert adjusted_rand_score(people, consensus(found, 0.3)) > 0.95
