"""Labels in a CSV file, as people write them."""

import os

import numpy as np
import pytest

from mmreid_cc.datasets import read_labels, write_labels

PATHS = ['crops/a/1.jpg', 'crops/a/2, é "x".jpg', 'crops/b/1.jpg', 'crops/3.jpg']


def test_what_is_written_is_read(tmp_path):
    file = tmp_path / 'labels.csv'
    write_labels(file, PATHS, np.array([1, 0, -1, 1]))
    assert file.read_text(encoding='utf-8').splitlines()[:2] == [
        'path,label',
        'a/1.jpg,1',
    ]
    moved = [f'/elsewhere/{path}' for path in PATHS]
    np.testing.assert_array_equal(read_labels(file, moved), [1, 0, -1, 1])
    np.testing.assert_array_equal(read_labels(file, moved[::-1]), [1, -1, 0, 1])


def test_labels_after_corrections_have_gaps(tmp_path):
    file = tmp_path / 'labels.csv'
    write_labels(file, PATHS, np.array([40, 7, -1, 40]))
    np.testing.assert_array_equal(read_labels(file, PATHS), [1, 0, -1, 1])


def test_a_table_from_a_spreadsheet(tmp_path):
    """With a byte-order mark and Windows line ends."""
    file = tmp_path / 'labels.csv'
    file.write_bytes(b'\xef\xbb\xbfpath,label\r\n1.jpg,3\r\n2.jpg,-1\r\n')
    np.testing.assert_array_equal(read_labels(file, ['1.jpg', '2.jpg']), [0, -1])


def test_a_name_that_is_no_utf_8(tmp_path):
    paths = [os.fsdecode(b'crops/\xff.jpg'), 'crops/1.jpg']
    write_labels(tmp_path / 'labels.csv', paths, np.array([0, -1]))
    np.testing.assert_array_equal(read_labels(tmp_path / 'labels.csv', paths), [0, -1])


def test_one_image(tmp_path):
    write_labels(tmp_path / 'labels.csv', ['x/1.jpg'], np.array([0]))
    assert read_labels(tmp_path / 'labels.csv', ['y/1.jpg']) == [0]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', 'first line must be path,label'),
        ('1.jpg,0\n', 'first line must be path,label'),
        ('path,label\n1.jpg,zero\n', "line 2: '1.jpg,zero' is not a path and an"),
        ('path,label\n1.jpg\n', "line 2: '1.jpg' is not"),
        (f'path,label\n1.jpg,{10**20}\n', 'is not a path and an integer label'),
        ('path,label\n1.jpg,-2\n', 'line 2: 1.jpg has a label below −1'),
        ('path,label\n1.jpg,0\n1.jpg,0\n', 'line 3: 1.jpg has its second row'),
        ('path,label\n1.jpg,0\n', r"1 images have none \(e.g. \['2.jpg'\]\)"),
        (
            'path,label\n1.jpg,0\n2.jpg,0\n3.jpg,0\n',
            r"1 rows have no image \(e.g. \['3.jpg'\]\)",
        ),
    ],
)
def test_other_files_are_refused(content, message, tmp_path):
    file = tmp_path / 'labels.csv'
    file.write_text(content)
    with pytest.raises(ValueError, match=message):
        read_labels(file, ['1.jpg', '2.jpg'])


def test_a_label_for_each_image(tmp_path):
    with pytest.raises(ValueError, match='not 1 labels for 4 images'):
        write_labels(tmp_path / 'labels.csv', PATHS, np.array([0]))
    with pytest.raises(ValueError, match='no image'):
        write_labels(tmp_path / 'labels.csv', [], np.array([]))
