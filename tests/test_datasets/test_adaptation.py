"""A target without labels beside sources with labels."""

import numpy as np
import pytest

from mmreid_cc.datasets import AdaptationReID, Market1501, source_classes

PART = dict(type='ReIDDataset', data_root='')


def make(root, split='train', sources=None):
    sources = {'first': PART, 'second': PART} if sources is None else sources
    return AdaptationReID(PART, sources, str(root), split)


def test_classes_of_the_sources(market_root):
    alone = Market1501(str(market_root), 'train')
    dataset = make(market_root)
    count = len(alone)
    assert len(dataset) == 3 * count
    classes = source_classes(dataset)
    assert (classes[:count] == -1).all()
    pids, people = alone.column('pid'), 8
    own = np.unique(pids, return_inverse=True)[1]
    np.testing.assert_array_equal(classes[count : 2 * count], own)
    np.testing.assert_array_equal(classes[2 * count :], own + people)
    cams = dataset.column('cam_id').reshape(3, count)
    assert all(set(cams[0]).isdisjoint(others) for others in cams[1:])
    assert (source_classes(alone) == -1).all()


def test_the_target_alone_is_tested(market_root):
    alone = Market1501(str(market_root), 'test')
    dataset = make(market_root, 'test')
    np.testing.assert_array_equal(dataset.column('pid'), alone.column('pid'))
    assert (source_classes(dataset) == -1).all()


@pytest.mark.parametrize('sources', [{}, {'target': PART}])
def test_errors(market_root, sources):
    with pytest.raises(ValueError, match=r'must name at least one.*got \['):
        make(market_root, sources=sources)
