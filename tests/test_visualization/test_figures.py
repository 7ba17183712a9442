"""Figures as files: their formats, the same bytes each time, never half a file."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mmreid_cc.visualization import figure_pixels, save_figure


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
    with pytest.raises(ValueError, match=r"\.png, \.svg, \.pdf.*'a\.jpg' does not"):
        save_figure(figure, 'a.jpg')


def test_pixels(figure):
    figure.set_facecolor('#ff0000')
    pixels = figure_pixels(figure)
    assert pixels.shape == (100, 200, 3)
    assert pixels.dtype == np.uint8
    assert pixels[0, 0].tolist() == [255, 0, 0]
