"""Metadata from the paths of images."""

import pytest

from mmreid_cc.apis.path_metadata import path_metadata

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


def test_what_cannot_be_read():
    with pytest.raises(ValueError, match=r'b\.jpg does not match the pattern'):
        path_metadata(['mon/1_c1.jpg', 'b.jpg'], PATTERN)
    with pytest.raises(ValueError, match='names no group'):
        path_metadata(['b.jpg'], r'c(\d)')
    with pytest.raises(ValueError, match=r"'\(' is no regular expression"):
        path_metadata(['b.jpg'], '(')
