"""The drawn data set: written at first use, then read."""

import pytest

from mmreid_cc.datasets import SyntheticReID

SMALL = dict(train_identities=3, test_identities=2, cameras=2, shots=2)


def test_train_and_test_people_are_disjoint(tmp_path):
    root = tmp_path / 'data' / 'synthetic'
    train = SyntheticReID(root, **SMALL)
    test = SyntheticReID(root, split='test', **SMALL)
    people = set(train.column('pid'))
    assert len(people) == 3
    assert not people & set(test.column('pid'))
    is_query = test.column('is_query')
    queried = set(test.column('pid')[is_query])
    assert len(queried) == 2
    assert queried <= set(test.column('pid')[~is_query])
    assert set(train.column('cam_id')) == {1, 2}


def test_infrared_queries_and_a_visible_gallery(tmp_path):
    train = SyntheticReID(tmp_path / 'a', infrared=2, **SMALL)
    assert set(train.column('cam_id')) == {1, 2, 3, 4}
    test = SyntheticReID(tmp_path / 'a', split='test', infrared=2, **SMALL)
    is_query, cameras = test.column('is_query'), test.column('cam_id')
    assert set(cameras[is_query]) == {3, 4}
    assert set(cameras[~is_query]) == {1, 2}
    people = test.column('pid')
    assert set(people[is_query]) == set(people[~is_query]) - {0}
    assert is_query.sum() == len(list((tmp_path / 'a').rglob('000[45]_c[34]*')))


def test_the_second_use_reads(tmp_path):
    first = SyntheticReID(tmp_path / 'a', **SMALL)
    times = [p.stat().st_mtime_ns for p in sorted((tmp_path / 'a').rglob('*.jpg'))]
    SyntheticReID(tmp_path / 'a', **SMALL)
    again = [p.stat().st_mtime_ns for p in sorted((tmp_path / 'a').rglob('*.jpg'))]
    assert times == again
    assert len(times) >= len(first)


def test_another_seed_is_not_mixed_in(tmp_path):
    SyntheticReID(tmp_path / 'a', **SMALL)
    with pytest.raises(FileExistsError, match='seed is 0, wanted 1'):
        SyntheticReID(tmp_path / 'a', seed=1, **SMALL)
