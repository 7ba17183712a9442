"""HTML pages: escaped, nothing from outside, links that lead somewhere."""

import re

import pytest
from matplotlib.figure import Figure

from mmreid_cc.visualization import HTMLPage


@pytest.fixture
def page():
    page = HTMLPage('Run <7>')
    page.add_text('Summary & more', 'one < two\n\nsecond')
    page.add_table('Test', ['metric', '%'], [['<mAP>', 82.1], ['rank-1', 92]])
    page.add_figure('Curves', Figure(figsize=(2, 1)), 'what "it" shows')
    page.add_code('Config', 'a = "</pre>"\n  b = 1')
    return page


def test_content(page, tmp_path):
    file = tmp_path / 'folder' / 'report.html'
    page.save(file)
    html = file.read_text()
    assert '<title>Run &lt;7&gt;</title>' in html
    assert '<p>one &lt; two</p>\n<p>second</p>' in html
    assert '<td>&lt;mAP&gt;</td><td class="number">82.1</td>' in html
    assert 'alt="what &quot;it&quot; shows"' in html
    assert '<pre tabindex="0">a = &quot;&lt;/pre&gt;&quot;\n  b = 1</pre>' in html
    assert 'width="200" height="100"' in html
    assert 'name="viewport"' in html
    links = re.findall(r'href="([^"]*)"', html)
    ids = re.findall(r' id="([^"]*)"', html)
    assert set(links) == {f'#{name}' for name in ids}
    assert ids == ['contents', *(f'section-{number}' for number in (1, 2, 3, 4))]
    sources = re.findall(r'src="([^"]{,22})', html)
    assert sources == ['data:image/png;base64,']
    assert not re.search(r'<script|<link|https?:', html)


def test_a_row_of_another_length(page):
    with pytest.raises(ValueError, match=r"'T' has the 2 columns .* row of 1 cells"):
        page.add_table('T', ['a', 'b'], [['c']])
