"""Tables as people have them, and times."""

import math

import pytest

from mmreid_cc.datasets.tables import Table, as_seconds


@pytest.mark.parametrize('delimiter', [',', ';', '\t'])
@pytest.mark.parametrize('end', ['\n', '\r\n'])
def test_as_other_programs_write_them(tmp_path, delimiter, end):
    lines = ['path|pid|note', 'a.jpg|1|"x| y"', '||', '', 'b.jpg', '"c\n.jpg"||z|']
    text = end.join(lines).replace('|', delimiter)
    (tmp_path / 'a.csv').write_bytes(b'\xef\xbb\xbf' + text.encode())
    table = Table(tmp_path / 'a.csv')
    assert table.columns == ['path', 'pid', 'note']
    rows = [
        (2, {'path': 'a.jpg', 'pid': '1', 'note': f'x{delimiter} y'}),
        (5, {'path': 'b.jpg', 'pid': '', 'note': ''}),
        (7, {'path': 'c\n.jpg', 'pid': '', 'note': 'z'}),
    ]
    assert list(table) == list(table) == rows


def test_what_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'table .*a\.csv does not exist'):
        Table(tmp_path / 'a.csv')
    (tmp_path / 'a.csv').write_text('path,cam,cam\n')
    with pytest.raises(ValueError, match=r"a\.csv has two columns 'cam'"):
        Table(tmp_path / 'a.csv')
    (tmp_path / 'a.csv').write_text('path,time\na.jpg,0,5\n')  # a decimal comma
    with pytest.raises(ValueError, match=r'a\.csv, line 2: 3 values for 2 columns'):
        list(Table(tmp_path / 'a.csv'))


@pytest.mark.parametrize(
    ('text', 'seconds'),
    [
        ('12.5', 12.5),
        ('-3,25', -3.25),
        ('1e3', 1000),
        ('1970-01-01T00:01:00', 60),
        ('1970-01-01 01:00:00.5+01:00', 0.5),
    ],
)
def test_times(text, seconds):
    assert as_seconds(text) == seconds


def test_no_times():
    assert math.isnan(as_seconds('') + as_seconds('NaN'))
    for text in ('noon', '1,234,5', 'inf'):
        with pytest.raises(ValueError, match=f"'{text}' is not a time"):
            as_seconds(text)
