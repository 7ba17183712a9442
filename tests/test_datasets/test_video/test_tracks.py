"""Track files: what is read, what is refused and where."""

import numpy as np
import pytest

from mmreid_cc.datasets.video import read_tracks


@pytest.mark.parametrize(
    'text',
    [
        '2,7,10,20,30,60,0.5,-1,-1,-1\n1,-1,1,2,3,4,-1,-1,-1,-1\n',
        '2 7 10 20 30 60 0.5\r\n\r\n1.0 -1.0 1 2 3 4\r\n',
        'frame;id;x;y;w;h;conf;pid\n2;7;10;20;30;60;0.5;anna\n1;-1;1;2;3;4;;\n',
    ],
)
def test_forms(tmp_path, text):
    (tmp_path / 'a.txt').write_text(text, newline='')
    tracks = read_tracks(tmp_path / 'a.txt')
    assert tracks.frames.tolist() == [2, 1]
    assert tracks.ids.tolist() == [7, -1]
    assert tracks.boxes.tolist() == [[10, 20, 30, 60], [1, 2, 3, 4]]
    np.testing.assert_array_equal(tracks.confidences, [0.5, np.nan])
    assert tracks.pids == (['anna', ''] if 'pid' in text else ['', ''])


def test_frames_from_0(tmp_path):
    (tmp_path / 'a.txt').write_text('0,7,10,20,30,60\n')
    with pytest.raises(ValueError, match=r'a.txt, line 1: frame 0, .*--first-frame 0'):
        read_tracks(tmp_path / 'a.txt')
    assert read_tracks(tmp_path / 'a.txt', first_frame=0).frames.tolist() == [1]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', r'a\.txt has no line'),
        ('1,1,0,0,9\n', r"line 1: '1,1,0,0,9' has 5 values"),
        ('1,1,0,0,9,9\n1,x,0,0,9,9\n', r"line 2: could not convert .*'x'"),
        ('1,1,0,0,9,9\n1.5,1,0,0,9,9\n', r'line 2: frame and id must be whole'),
        ('1,1,0,nan,9,9\n', r'line 1: .* the box finite'),
        ('3,5,0,0,9,9\n3,6,0,0,9,9\n3,5,1,1,9,9\n', r'lines 1 and 3: two boxes of t'),
        ('frame,id,x,y\n1,1,1,1\n', r'a\.txt has no column w, h'),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    (tmp_path / 'a.txt').write_text(text)
    with pytest.raises(ValueError, match=message):
        read_tracks(tmp_path / 'a.txt')
