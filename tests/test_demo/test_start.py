"""What is checked before the page is there."""

import sys
from argparse import Namespace

import numpy as np
import pytest
from conftest import ROOT
from tiny_network import write_network

from mmreid_cc.apis import Gallery
from mmreid_cc.datasets import write_labels

pytest.importorskip('gradio', reason='the page is the extra "demo"')
sys.path.append(str(ROOT / 'demo'))

import app  # found there
from cluster_view import View, still_there
from crop_grid import Crop, crops_html, page_of


def test_labels_that_are_there_are_not_replaced(tmp_path):
    gallery = str(tmp_path / 'gallery.npz')
    file = tmp_path / 'gallery_labels.csv'
    fresh = Namespace(gallery=gallery, labels=None, save_to=None)
    assert app.output_file(fresh) == file
    file.write_text('path,label\n')
    with pytest.raises(FileExistsError, match='saving would replace it'):
        app.output_file(fresh)
    assert app.output_file(Namespace(**{**vars(fresh), 'labels': str(file)})) == file
    other = Namespace(**{**vars(fresh), 'save_to': str(tmp_path / 'new.csv')})
    assert app.output_file(other) == tmp_path / 'new.csv'


def test_images_that_are_gone_are_named(tmp_path):
    file = tmp_path / 'a.jpg'
    file.touch()
    app.check_files([str(file)])
    with pytest.raises(FileNotFoundError, match=r"2 of 3 images .* first is 'b.jpg'"):
        app.check_files([str(file), 'b.jpg', ''])


def test_clusters_to_begin_with(tmp_path):
    config, _ = write_network(tmp_path)
    people = np.repeat([0, 1, 2], 6)
    gallery = Gallery(np.eye(3)[people], [f'{row}.jpg' for row in range(18)])
    given = np.where(people == 1, -1, people)
    write_labels(tmp_path / 'labels.csv', gallery.paths, given)
    args = Namespace(config=str(config), labels=str(tmp_path / 'labels.csv'))
    assert (
        app.first_labels(args, gallery).tolist()
        == np.where(people == 2, 1, given).tolist()
    )
    args.labels = None  # by the clusterer of the config
    assert app.first_labels(args, gallery).tolist() == people.tolist()


def test_text_on_the_page_is_no_markup(tmp_path):
    html = crops_html([Crop(3, str(tmp_path / '"><script>.jpg'), '<b>1</b>', True)])
    assert '<script>' not in html
    assert '<b>' not in html
    assert 'data-number="3" aria-pressed="true"' in html
    assert 'src="data:image/jpeg;base64,' in html  # grey: there is no such file


@pytest.mark.parametrize(
    ('turn', 'expected'),
    [(1, [0, 1, 2]), (3, [6]), (9, [6]), (0, [0, 1, 2])],
)
def test_pages(turn, expected):
    assert page_of(range(7), turn, 3)[0] == expected


def test_a_view_forgets_what_is_no_more():
    labels = np.array([0, 0, 3, -1])
    view = View(0, other=3, picked=frozenset({0, 2, 9}))
    assert still_there(view, labels) == View(0, 3, frozenset({0}))
    assert still_there(View(0, other=5), labels) == View(0)
    assert still_there(View(0, other=0), labels) == View(0)
    assert still_there(View(5, other=3), labels) == View()
    assert still_there(View(-1, picked=frozenset({3})), labels).picked == {3}
