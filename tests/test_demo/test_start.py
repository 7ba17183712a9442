"""What is checked before the page is there."""

import asyncio
import http.server
import os
import sys
import threading
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, write_crop
from tiny_network import write_network

from mmreid_cc.apis import Gallery, LabelEditor, People, people_editor
from mmreid_cc.datasets import write_labels

pytest.importorskip('gradio', reason='the page is the extra "demo"')
sys.path.append(str(ROOT / 'demo'))

import app  # found there
import gradio as gr
import orjson
from cluster_tab import ClusterTab
from cluster_view import View, still_there
from crop_grid import Crop, crops_html, page_of
from gradio import processing_utils
from starlette.testclient import TestClient


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


def test_names_that_are_no_utf_8_can_be_sent(tmp_path):
    html = crops_html([Crop(3, os.fsdecode(b'crop_\xff.jpg'), 'image 3')])
    assert 'alt="crop_?.jpg"' in orjson.loads(orjson.dumps(html))


def test_clusters_by_the_cameras_of_the_gallery(tmp_path):
    config, _ = write_network(tmp_path)
    cameras = 'dict(k1_intra=2, k1_inter=2, k2_intra=1, k2_inter=1)'
    config.write_text(
        f'{config.read_text()}clusterer["cameras"] = {cameras}\n'
        'default_hooks["cluster_memory"]["camera_normalization"] = "mean"\n'
    )
    people = np.repeat([0, 1, 2], 6)
    names = np.array(['hall', 'door'] * 9)
    embeddings, paths = np.eye(3)[people], [f'{row}.jpg' for row in range(18)]
    args = Namespace(config=str(config), labels=None)
    known = Gallery(embeddings, paths, dict(cam_id=names))
    assert app.first_labels(args, known).tolist() == people.tolist()
    names[4] = ''  # unknown
    for unknown in (dict(cam_id=names), {}):
        with pytest.raises(ValueError, match='cameras'):
            app.first_labels(args, Gallery(embeddings, paths, unknown))


def test_no_address_is_fetched_in_place_of_an_upload(monkeypatch, tmp_path):
    asked = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    server = http.server.HTTPServer(('127.0.0.1', 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # As if it were a public address: Gradio itself refuses those of the own machine.
    monkeypatch.setattr(processing_utils, 'PUBLIC_HOSTNAME_WHITELIST', ['127.0.0.1'])
    monkeypatch.setattr(
        processing_utils,
        'async_ssrf_protected_download',
        processing_utils.async_ssrf_protected_download,  # put back by and by
    )
    app.fetch_nothing()
    address = f'http://127.0.0.1:{server.server_port}/big.jpg'
    upload = dict(path=address, meta=dict(_type='gradio.FileData'))
    try:
        with pytest.raises(PermissionError, match='Nothing is fetched'):
            asyncio.run(
                processing_utils.async_move_files_to_cache(
                    upload, gr.File(), check_in_upload_folder=True
                )
            )
    finally:
        server.shutdown()
        server.server_close()
    assert not asked


def test_uploads_are_deleted_soon(monkeypatch, tmp_path):
    monkeypatch.setenv('GRADIO_TEMP_DIR', str(tmp_path))
    monkeypatch.setattr(app, 'UPLOAD_KEPT', 0.1)
    page = app.build_page('', *[Namespace(build=lambda page: gr.File())] * 2)
    page.max_file_size = None  # else by its launch
    with TestClient(gr.routes.App.create_app(page)) as client:
        answer = client.post('/gradio_api/upload', files=dict(files=('a.txt', b'a')))
        file = Path(answer.json()[0])
        assert tmp_path in file.parents
        end = time.monotonic() + 20
        while file.exists() and time.monotonic() < end:
            time.sleep(0.05)
    assert time.monotonic() < end


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


def test_known_people_in_place_of_clusters(monkeypatch, tmp_path):
    people = People.from_labels(np.eye(3), [0, 1, 1], keys=[5, 6, 7], model_hash='abc')
    people.name(1, 'Ann')
    people.save(tmp_path / 'people.npz')
    paths = []
    for number in range(3):
        path = tmp_path / f'{number}.png'
        write_crop(path, number, number)
        paths.append(str(path))
    gallery = Gallery(np.eye(3), paths, model_hash='abc')
    monkeypatch.setattr(people_editor, 'file_keys', lambda paths: np.array([5, 6, 7]))
    args = Namespace(people=tmp_path / 'people.npz')
    editor, file = app.editor_of(args, gallery)
    assert file == tmp_path / 'people.npz'
    tab = ClusterTab(editor, gallery, file)
    assert [tab.name(number) for number in (-1, 0, 1)] == [
        'no cluster',
        'person 0',
        'person 1 Ann',
    ]
    tab.keep_other_apart(View(0, other=1))
    tab.save_labels(View(0))
    assert People.load(file).settled == {0, 1}
    clusters = ClusterTab(LabelEditor([0, 1, 1], paths, np.eye(3)), gallery, file)
    with pytest.raises(ValueError, match='start with --people'):
        clusters.keep_other_apart(View(0, other=1))
