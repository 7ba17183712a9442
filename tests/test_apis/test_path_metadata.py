"""Metadata from the paths of images."""

import numpy as np
import pytest

from mmreid_cc.apis.path_metadata import listed_metadata, path_metadata
from mmreid_cc.datasets.image_lists import ListedImage

PATTERN = r'(?P<day>\w+)/(?P<pid>-?\d+)_c(?P<cam>\d)?'


def test_numbers_and_texts():
    metadata = path_metadata(['x/mon/0002_c1.jpg', r'x\tue\-1_c5.jpg'], PATTERN)
    assert {name: column.tolist() for name, column in metadata.items()} == {
        'day': ['mon', 'tue'],
        'pid': [2, -1],
        'cam_id': [1, 5],
    }
    unknown = path_metadata(['mon/1_c1.jpg', 'mon/1_c.jpg'], PATTERN)['cam_id']
    assert unknown.tolist() == ['1', '']


def test_tracks_and_times():
    pattern = r't(?P<track>\d*)_(?P<time>[\d.]*)\.'
    metadata = path_metadata(['t5_0.5.jpg', 't_.jpg'], pattern)
    assert metadata['track'].tolist() == [5, -1]
    np.testing.assert_array_equal(metadata['time'], [0.5, np.nan])


def test_a_list():
    images = [
        ListedImage('1.jpg', cam='door', track='3', time=1.5, metadata={'x': '10'}),
        ListedImage('2.jpg', cam='hall', metadata={'x': '20'}),
    ]
    metadata = listed_metadata(images)
    assert list(metadata) == ['cam_id', 'track', 'x', 'time']
    assert metadata['cam_id'].tolist() == ['door', 'hall']
    assert metadata['track'].tolist() == [3, -1]
    assert metadata['x'].tolist() == [10, 20]
    np.testing.assert_array_equal(metadata['time'], [1.5, np.nan])


def test_what_cannot_be_read():
    with pytest.raises(ValueError, match=r'b\.jpg does not match the pattern'):
        path_metadata(['mon/1_c1.jpg', 'b.jpg'], PATTERN)
    with pytest.raises(ValueError, match='has no named group'):
        path_metadata(['b.jpg'], r'c(\d)')
    with pytest.raises(ValueError, match=r"'\(' is not a regular expression"):
        path_metadata(['b.jpg'], '(')
