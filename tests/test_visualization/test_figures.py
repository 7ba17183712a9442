"""Figures as files: their formats, the same bytes each time, never half a file."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mmreid_cc.visualization import figure_pixels, save_figure
from mmreid_cc.visualization.figures import write_file


@pytest.fixture
def figure():
    figure = Figure(figsize=(2, 1), dpi=100)
    figure.subplots().plot([1, 2])
    return figure


def test_formats(figure, tmp_path):
    for suffix, start in (('png', b'\x89PNG'), ('pdf', b'%PDF'), ('svg', b'<?xml')):
        file = tmp_path / 'folder' / f'curves.{suffix}'
        save_figure(figure, file)
        assert file.read_bytes().startswith(start)
    assert b'<dc:date>' not in file.read_bytes()
    assert len(list(file.parent.iterdir())) == 3
    with pytest.raises(ValueError, match=r"\.png, \.svg, \.pdf.*'a\.jpg' ends in none"):
        save_figure(figure, 'a.jpg')


def test_pixels(figure):
    figure.set_facecolor('#ff0000')
    pixels = figure_pixels(figure)
    assert pixels.shape == (100, 200, 3)
    assert pixels.dtype == np.uint8
    assert pixels[0, 0].tolist() == [255, 0, 0]


def test_a_write_that_fails(tmp_path):
    file = tmp_path / 'report.html'
    file.write_bytes(b'old')
    with pytest.raises(TypeError):
        write_file(file, 'no bytes')
    assert file.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [file]
