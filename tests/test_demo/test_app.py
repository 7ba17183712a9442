"""The page in a real browser: search, correct, save; and what it refuses."""

import contextlib
import json
import re
import shutil
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from mmengine.runner import Runner
from tiny_network import write_network

from mmreid_cc.apis import Gallery, ReIDInferencer
from mmreid_cc.datasets import read_labels, write_labels

pytest.importorskip('gradio', reason='the page is the extra "demo"')

from browsing import press, says, seen, started_browser  # needs extras
from served_page import served_page, status_of  # needs gradio

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(scope='module')
def crops(market_root):
    """8 people, 6 images each: 3 by camera 1, 3 by camera 2."""
    return sorted(map(str, (market_root / 'bounding_box_train').glob('*.jpg')))


@pytest.fixture(scope='module')
def folder(tmp_path_factory, crops):
    """A gallery, its network, and labels with mistakes."""
    folder = tmp_path_factory.mktemp('page')
    config, checkpoint = write_network(folder)
    cameras = np.array([int(re.search(r'_c(\d)', crop)[1]) for crop in crops])
    cameras[-1] = -1  # unknown
    reid = ReIDInferencer(config, checkpoint, 'cpu')
    reid.build_gallery(crops, dict(cam_id=cameras)).save(folder / 'gallery.npz')
    write_labels(folder / 'labels.csv', crops, np.array(wrong_labels()))
    return folder


def wrong_labels():
    """Cluster of each image: person 1 in two clusters, 3 and 4 in one."""
    first = [0] * 3 + [1] * 3
    others = [[cluster] * 6 for cluster in (2, 3, 3, 4, 5, 6, 7)]
    return first + [label for person in others for label in person]


@pytest.fixture(scope='module')
def url(folder):
    arguments = [folder / 'gallery.npz', '--device', 'cpu', '--max-upload-mb', '5']
    arguments += ['--config', folder / 'tiny.py', '--checkpoint', folder / 'tiny.pth']
    with served_page(*arguments, '--labels', folder / 'labels.csv', cwd=folder) as url:
        yield url
    assert not list(folder.glob('tmp*'))  # where uploads were


@pytest.fixture(scope='module')
def browser():
    with started_browser() as browser:
        yield browser


@pytest.fixture
def page(browser, url):
    """The page, anew; it asks nobody else for anything."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    asked = []
    page.on('request', lambda request: asked.append(request.url))
    page.goto(url)
    seen(page, 'image 0').wait_for()
    yield page
    page.close()
    assert len(asked) > 10
    assert not [a for a in asked if not a.startswith((url, 'data:', 'blob:'))]


def upload(page, file):
    page.locator('input[type=file]').set_input_files(file)


def results(page):
    """Cosine and camera of each result."""
    texts = page.get_by_role('button', name=re.compile(r'\d\.\d\d')).all_inner_texts()
    found = [re.search(r'(-?\d\.\d\d)(?:\ncamera (\d))?', text) for text in texts]
    return [(float(match[1]), match[2]) for match in found]


def test_search(page, crops, tmp_path):
    file = tmp_path / 'query.png'
    shutil.copy(crops[13], file)  # the content decides, not the name
    upload(page, file)
    says(page, '48 of 48 images')
    says(page, 'your upload')
    found = results(page)
    assert found[0] == (1.0, '1')
    cosines = [cosine for cosine, _ in found]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[-1] < cosines[5]
    assert [camera for _, camera in found].count(None) == 1
    other_cameras = page.get_by_label("Leave out the query's camera")
    assert other_cameras.is_disabled()

    threshold = page.get_by_label('number input for Threshold')
    bound = cosines[10]  # rounded: those that show it may be on either side of it
    threshold.fill(str(bound))
    threshold.press('Enter')
    above = sum(cosine > bound for cosine in cosines)
    counts = [str(above + equal) for equal in range(cosines.count(bound) + 1)]
    says(page, re.compile(rf'^({"|".join(counts)}) of 48 images'))
    threshold.fill('-1')
    threshold.press('Enter')
    says(page, '48 of 48 images')

    page.get_by_label('Re-rank').check()
    says(page, 're-ranked')
    assert sorted(results(page), key=str) == sorted(found, key=str)
    assert results(page) != found

    seen(page, 'image 0').click()
    says(page, '47 of 48 images')  # without itself
    other_cameras.check()
    says(page, '24 of 48 images')
    assert {camera for _, camera in results(page)} == {'2', None}


def test_a_table_is_searched_only(browser, folder):
    pytest.importorskip('lancedb', reason='galleries on disk are the extra "lancedb"')
    Gallery.load(folder / 'gallery.npz').to_lance(folder / 'gallery.lance')
    arguments = ['gallery.lance', '--config', 'tiny.py', '--checkpoint', 'tiny.pth']
    with served_page(*arguments, '--device', 'cpu', cwd=folder) as url:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(url)
        seen(page, 'image 0').click()
        says(page, '47 of 48 images')
        page.get_by_label("Leave out the query's camera").check()
        says(page, '24 of 48 images')
        assert {camera for _, camera in results(page)} == {'2', None}
        assert not page.get_by_role('tab', name='Clusters').count()
        page.close()


def test_no_camera_is_left_out_where_it_is_unknown(page):
    turn = page.get_by_label('number input for Page of the gallery')
    turn.fill('2')
    turn.press('Enter')
    seen(page, 'image 47').click()
    says(page, '47 of 48 images')
    assert 'camera' not in seen(page, 'image 47').inner_text()
    assert page.get_by_label("Leave out the query's camera").is_disabled()


def test_other_uploads_are_refused_on_the_page(page, crops, tmp_path):
    for name, content, message in (
        ('picture.svg', SVG, 'Invalid file type'),
        ('large.jpg', ' ' * 10_000_000, 'exceed the maximum allowed size of 5.0 Mb'),
        ('text.jpg', 'no pixels', 'is not an image that can be read here'),
    ):
        file = tmp_path / name
        file.write_text(content)
        upload(page, file)
        says(page, message)
        assert not results(page)
    upload(page, crops[0])  # the next one is taken
    says(page, '48 of 48 images')


def test_correct_save_and_train(page, folder, crops, tiny_config):
    page.get_by_role('tab', name='Clusters').click()
    says(page, '8 clusters of 48 images; 0 images without a cluster. Not saved yet.')

    seen(page, 'cluster 0').click()
    says(page, '3 images, the most typical first; click to pick.')
    seen(page, 'cluster 1').last.click()  # that of "The same person?"
    press(page, 'Merge cluster 1 into cluster 0')
    says(page, 'not saved: 1')
    says(page, '6 images, the most typical first')

    seen(page, 'cluster 3').first.click()
    says(page, '12 images, the most typical first')
    press(page, 'Split in two')
    says(page, 'not saved: 2')

    seen(page, 'cluster 7').first.click()
    says(page, re.compile('^Cluster 7$'))
    press(page, 'Reject the whole cluster')
    says(page, '6 images without a cluster')

    seen(page, 'cluster 2').first.click()
    seen(page, 'image 6').click()
    seen(page, 'image 7').click()
    says(page, '2 picked')
    seen(page, 'image 7').click()  # picked by mistake
    says(page, '1 picked')
    press(page, 'Reject picked')
    says(page, '7 images without a cluster')
    press(page, 'Split in two')
    says(page, 'not saved: 5')
    press(page, 'Undo')
    says(page, 'not saved: 4')

    seen(page, 'no cluster').click()
    seen(page, 'image 45').wait_for()
    for number in range(42, 46):  # without waiting for the answers
        seen(page, f'image {number}').click()
    says(page, '4 picked')
    press(page, 'Move picked into a new cluster')
    says(page, '3 images without a cluster')

    page.reload()  # goes on where it was
    page.get_by_role('tab', name='Clusters').click()
    says(page, 'not saved: 5')
    press(page, 'Save labels')
    says(page, 'Saved in')
    labels = read_labels(folder / 'gallery_labels.csv', crops)
    people = np.repeat(np.arange(8), 6)
    people[[6, 46, 47]] = -1
    pairs = {*zip(labels.tolist(), people.tolist(), strict=True)}
    assert len(pairs) == 9  # one cluster for each person, −1 for the others
    assert (-1, -1) in pairs

    hook = tiny_config.default_hooks.cluster_memory
    hook.initial_labels = str(folder / 'gallery_labels.csv')
    tiny_config.train_cfg.max_epochs = 1
    tiny_config.val_cfg = tiny_config.val_dataloader = tiny_config.val_evaluator = None
    Runner.from_cfg(tiny_config).train()
    log = next(Path(tiny_config.work_dir).glob('*/vis_data/scalars.json'))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    clusters = [line.get('cluster/clusters') for line in lines]
    assert [number for number in clusters if number is not None] == [8]


@pytest.mark.parametrize(
    'path',
    [
        '/gradio_api/file=/etc/passwd',
        '/gradio_api/file=../../../../../../etc/passwd',
        '/gradio_api/file=%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd',
        '/gradio_api/file=/proc/self/environ',
        '/gradio_api/file=file:///etc/passwd',
        '/gradio_api/file/etc/passwd',
        '/file=/etc/passwd',
        '/static/../../../../../../etc/passwd',
        '/gradio_api/file={crop}',
        '/gradio_api/file={folder}/gallery.npz',
        '/gradio_api/file={folder}/labels.csv',
        '/gradio_api/file={root}/demo/app.py',
        '/gradio_api/file=http://example.com/',
        '/gradio_api/file=http:/example.com/',
        '/gradio_api/proxy=http://example.com/',
    ],
)
def test_no_file_is_served(url, path, folder, crops):
    path = path.format(crop=crops[0], folder=folder, root=ROOT)
    assert status_of(url + path) in (403, 404)


def test_a_page_of_another_site_reaches_nothing(url):
    assert status_of(url, host='evil.example') == 400


@pytest.mark.parametrize(
    ('headers', 'size', 'status'),
    [
        ({}, 1000, 200),
        ({'Origin': '{url}'}, 1000, 200),
        ({'Origin': 'http://evil.example'}, 1000, 403),
        ({'Origin': 'http://127.0.0.1:1'}, 1000, 403),
        ({'Origin': 'null'}, 1000, 403),
        ({}, 7_000_000, 413),
        ({'Transfer-Encoding': 'chunked'}, 1000, 411),
    ],
)
def test_uploads_of_other_pages_or_without_end_are_refused(url, headers, size, status):
    files = [
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
        + bytes(size // 2)
        for _ in range(2)
    ]  # each small enough
    body = b'\r\n'.join([*files, b'--x--\r\n'])
    headers = {name: text.format(url=url) for name, text in headers.items()}
    headers['Content-Type'] = 'multipart/form-data; boundary=x'
    connection = HTTPConnection(url.removeprefix('http://'), timeout=60)
    chunked = 'Transfer-Encoding' in headers
    body = iter([body]) if chunked else body
    path = '/gradio_api/upload'
    with contextlib.suppress(
        BrokenPipeError, ConnectionResetError
    ):  # not read to its end
        connection.request('POST', path, body, headers, encode_chunked=chunked)
    assert connection.getresponse().status == status
    connection.close()


def test_no_step_takes_a_file_of_the_server_for_an_upload(url, crops, folder):
    """What a browser could send, had it been told to: the path of a file."""
    config = json.load(urllib.request.urlopen(f'{url}/config'))
    steps = [
        step
        for step in config['dependencies']
        if [target[1] for target in step['targets']] == ['upload']
    ]
    assert len(steps) == 1
    for path in (
        crops[0],
        '/etc/passwd',
        str(folder / 'gallery.npz'),
        'http://127.0.0.1:1/a.jpg',
    ):
        file = {'path': path, 'meta': {'_type': 'gradio.FileData'}}
        body = dict(data=[file], fn_index=steps[0]['id'], session_hash='x')
        request = urllib.request.Request(
            f'{url}/gradio_api/queue/join',
            json.dumps(body).encode(),
            {'Content-Type': 'application/json'},
        )
        urllib.request.urlopen(request).close()
        stream = urllib.request.urlopen(f'{url}/gradio_api/queue/data?session_hash=x')
        events = [
            json.loads(line.removeprefix(b'data:'))
            for line in stream
            if line.startswith(b'data:')
        ]
        last = next(e for e in events if e['msg'] == 'process_completed')
        assert not last['success']
        assert 'your upload' not in json.dumps(last)
