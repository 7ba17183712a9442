"""Search on the command line."""

import numpy as np
import pytest
from PIL import Image
from tiny_network import write_network, write_people_crops
from tool_runs import run_tool

from mmreid_cc.apis import Gallery, ReIDInferencer
from mmreid_cc.apis.search_results import results_table


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('search')
    write_network(folder)
    write_people_crops(folder / 'crops')
    reid = ReIDInferencer(folder / 'tiny.py', folder / 'tiny.pth', 'cpu')
    metadata = dict(floor=list(range(20)))
    reid.build_gallery(folder / 'crops', metadata).save(folder / 'gallery.npz')
    return folder


def run(folder, *arguments):
    network = 'tiny.py', 'tiny.pth'
    return run_tool('search.py', *network, *arguments, cwd=folder)


def test_in_a_gallery(folder):
    query = ['crops/cam 0/a 1é_0.png', 'crops/cam 1/日本 3é_1.png']
    more = ['--topk', 2, '--out', 'sheet.png']
    status, printed = run(folder, 'gallery.npz', *query, *more)
    assert status == 0, printed[-3000:]
    lines = printed.splitlines()
    first = lines.index(query[0])
    assert lines[first + 1].split() == ['rank', 'cosine', 'floor', 'image']
    assert lines[first + 2].split()[:3] == ['1', '1.000', '0']
    assert lines[first + 2].endswith(query[0])
    assert lines[lines.index(query[1]) + 2].endswith(query[1])
    with Image.open(folder / 'sheet.png') as sheet:
        assert sheet.width > 3 * 64


def test_a_query_is_not_replaced_by_the_picture(folder):
    query = 'crops/cam 0/a 1é_0.png'
    content = (folder / query).read_bytes()
    status, printed = run(folder, 'gallery.npz', query, '--out', query)
    assert status == 1
    assert 'would be replaced by the results, and it is read' in printed
    assert (folder / query).read_bytes() == content


def test_in_a_table(folder):
    pytest.importorskip('lancedb', reason='galleries on disk are the extra "lancedb"')
    Gallery.load(folder / 'gallery.npz').to_lance(folder / 'gallery.lance')
    query = ['crops/cam 0/a 1é_0.png', 'crops/cam 1/日本 3é_1.png', '--topk', 4]
    for options in ([], ['--rerank'], ['--out', 'table.png']):
        in_table = run(folder, 'gallery.lance', *query, *options)
        if '--out' not in options:
            assert in_table == run(folder, 'gallery.npz', *query, *options)
        assert in_table[0] == 0, in_table[1][-3000:]
    assert (folder / 'table.png').is_file()


def test_in_a_folder_re_ranked_for_several_shots(folder):
    query = ['crops/cam 0/a 1é_0.png', 'crops/cam 1/日本 1é_1.png']
    arguments = ['crops/cam 0', *query, '--pool', '--rerank', '--topk', 3]
    status, printed = run(folder, *arguments)
    assert status == 0, printed[-3000:]
    lines = printed.splitlines()
    first = lines.index(query[0])
    assert lines[first + 1] == query[1]
    assert lines[first + 2].split() == ['rank', '1', '−', 'distance', 'image']
    assert len([line for line in lines[first + 3 :] if '1é' in line]) == 3


def test_names_that_no_terminal_prints_are_escaped():
    gallery = Gallery(np.eye(1), ['日\udcff.jpg'], dict(note=['a\n\x1b[2J']))
    table = results_table(['q\udcff.jpg'], gallery, np.array([0]), np.array([1.0]))
    query, _, result = table.splitlines()
    assert query == r"'q\udcff.jpg'"
    assert result.endswith(r"'a\n\x1b[2J'  '日\udcff.jpg'")


def test_a_picture_of_unknown_format_ends_at_once(folder):
    status, printed = run(folder, 'gallery.npz', 'crops', '--out', 'sheet.jpeg')
    assert status == 1
    assert 'The name of a picture must end in one of .png' in printed
