"""The baseline by colours: histograms that tell colours and stripes apart."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

TOOL = Path(__file__).parents[2] / 'tools' / 'analysis_tools' / 'color_histogram.py'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('color_histogram', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('colour_space', ['HSV', 'RGB'])
def test_stripes_see_what_the_whole_image_does_not(tool, colour_space):
    image = np.full((12, 6, 3), (200, 20, 20), np.uint8)
    image[6:] = (20, 20, 200)
    upside_down = image[::-1]

    def cosine(stripes):
        return np.dot(
            tool.color_histogram(image, colour_space, stripes),
            tool.color_histogram(upside_down, colour_space, stripes),
        )

    assert cosine(1) == pytest.approx(1, abs=1e-6)
    # Red and blue share their brightness: all of the value histogram, half of HSV.
    shared = 0.5 if colour_space == 'HSV' else 0
    assert cosine(2) == pytest.approx(shared, abs=1e-6)


def test_prints_a_line_for_each_histogram(tool, market_root, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['color_histogram.py', str(market_root)])
    tool.main()
    lines = capsys.readouterr().out.strip().splitlines()
    assert [line[:3] for line in lines] == ['HSV', 'HSV', 'RGB', 'RGB']
    # The identities of this set differ by the colours of four stripes.
    assert 'rank-1 100.0%' in lines[-1]
