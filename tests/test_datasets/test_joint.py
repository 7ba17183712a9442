"""Several data sets as one: nothing is shared, nothing is lost."""

import numpy as np
import pytest
from conftest import write_crop
from mmengine.registry import init_default_scope

from mmreid_cc.datasets import JointReID, LabelledReID, ReIDDataset

PACK = [dict(type='LoadReIDImage'), dict(type='PackInputs')]


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmreid_cc')


@pytest.fixture
def root(market_root, tmp_path):
    """Three data sets in a folder: twice the same, and one of unknown identities."""
    (tmp_path / 'one').symlink_to(market_root)
    (tmp_path / 'two').symlink_to(market_root)
    for i in range(3):
        write_crop(tmp_path / 'crops' / f'{i}.jpg', i, i)
    return tmp_path


ONE = dict(type='ReIDDataset', data_root='one')
TWO = dict(type='ReIDDataset', data_root='two')
CROPS = dict(type='ReIDImageFolder', data_root='crops')


def test_identities_and_cameras_are_kept_apart(root):
    datasets = dict(one=ONE, crops=CROPS, two=TWO)
    joint = JointReID(datasets, data_root=root, pipeline=PACK)
    assert len(joint) == 48 + 3 + 48
    assert joint.metainfo['sizes'] == {'one': 48, 'crops': 3, 'two': 48}
    single = ReIDDataset(root / 'one')
    pids, cams = joint.column('pid'), joint.column('cam_id')
    parts = [slice(0, 48), slice(48, 51), slice(51, 99)]
    for column in (pids, cams):
        values = [set(column[part]) - {-1} for part in parts]
        assert not any(values[i] & values[j] for i, j in ((0, 1), (0, 2), (1, 2)))
    assert (pids[parts[1]] == -1).all()
    for column, key in ((pids, 'pid'), (cams, 'cam_id')):
        for part in (parts[0], parts[2]):  # the same up to the numbers
            inverse = np.unique(column[part], return_inverse=True)[1]
            expected = np.unique(single.column(key), return_inverse=True)[1]
            assert np.array_equal(inverse, expected)
    sample = joint[51]['data_samples']
    assert sample.sample_idx == 51
    assert sample.img_path == str(root / 'two' / 'bounding_box_train') + (
        '/' + single.get_data_info(0)['img_path'].rsplit('/', 1)[1]
    )


def test_test_split(root):
    joint = JointReID(dict(one=ONE, two=TWO), data_root=root, split='test')
    is_query = joint.column('is_query')
    assert is_query.tolist() == ([True] * 8 + [False] * 17) * 2
    pids = joint.column('pid')
    # The distractor of the second set is nobody of the first.
    assert len(set(pids[~is_query])) == 2 * 5


def test_with_labels(root):
    cfg = dict(type='JointReID', datasets=dict(one=ONE, two=TWO))
    labels = LabelledReID(root, cfg).column('gt_label')
    assert labels.tolist() == np.repeat(range(16), 6).tolist()


def test_no_data_set():
    with pytest.raises(ValueError, match='`datasets` is empty'):
        JointReID({})
