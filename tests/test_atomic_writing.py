"""A file is replaced when the new one is complete, and is as it was after an error."""

import pytest

from mmreid_cc.atomic_writing import check_writable, replacing


def test_replacing(tmp_path):
    file = tmp_path / 'new' / 'labels.csv'
    with replacing(file) as part:
        part.write_text('first')
        assert not file.exists()
    with replacing(file) as part:
        part.write_text('second')
        assert file.read_text() == 'first'
    assert file.read_text() == 'second'
    assert list(file.parent.iterdir()) == [file]


def test_an_error_while_writing(tmp_path):
    file = tmp_path / 'labels.csv'
    file.write_text('old')
    with pytest.raises(TypeError), replacing(file) as part:
        part.write_text(b'not text')
    assert file.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_is_known_before(tmp_path):
    file = tmp_path / 'new' / 'labels.csv'
    check_writable(file)
    assert list(file.parent.iterdir()) == []
    file.write_text('old')
    check_writable(file)
    assert file.read_text() == 'old'
    with pytest.raises(FileExistsError, match=r'nothing can be written.*labels.csv/a'):
        check_writable(file / 'a.csv')
    with pytest.raises(IsADirectoryError, match=r'Name another file'):
        check_writable(tmp_path)


def test_what_is_read_is_not_replaced(tmp_path, monkeypatch):
    file = tmp_path / 'crops.csv'
    file.write_text('path')
    (tmp_path / 'link.csv').symlink_to(file)
    monkeypatch.chdir(tmp_path)
    check_writable(tmp_path / 'labels.csv', [file])
    for name in ('crops.csv', './crops.csv', 'link.csv'):
        with pytest.raises(ValueError, match=r'would be replaced .*Name another'):
            check_writable(tmp_path / name, ['other.csv', 'crops.csv'])
