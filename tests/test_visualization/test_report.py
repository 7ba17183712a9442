"""The tools on a small run: every picture, and the report in a real browser."""

import importlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT
from loading import safe_loading
from mmengine.config import Config
from PIL import Image
from playwright.sync_api import sync_playwright
from tool_runs import run_tool

from mmreid_cc.apis.model import scope_of
from mmreid_cc.engine.safe_loading import load_file
from mmreid_cc.registry import MODELS

CONFIG = """
_base_ = '{root}/configs/cc_mbv2_cuhk03.py'
custom_imports = dict(imports=['tiny_backbone'])
model = dict(backbone=dict(_delete_=True, type='TinyBackbone'),
             head=dict(in_channels=16))
train_dataloader = dict(
    num_workers=0, persistent_workers=False, batch_size=16,
    sampler=dict(num_clusters=4, num_instances=4, iters_per_epoch=3))
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader
clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer),
                     batch_norm_groups=dict(samples_per_bn=8),
                     logger=dict(interval=1))
train_cfg = dict(max_epochs=2)
"""
SILENT = '--no-sandbox --disable-gpu --no-first-run --disable-sync'
SILENT += ' --disable-background-networking --disable-component-update'
PLACE = 'name => document.getElementById(name).getBoundingClientRect().top'
SIZES = '[...document.images].map(i => [i.naturalWidth, i.clientWidth, i.clientHeight])'


@pytest.fixture(scope='module')
def work_dir(market_root, tmp_path_factory):
    """A run of two epochs."""
    folder = tmp_path_factory.mktemp('run')
    (folder / 'tiny.py').write_text(CONFIG.format(root=ROOT))
    call('train.py', 'tiny.py', '--data-root', market_root, cwd=folder)
    return folder / 'work_dirs' / 'tiny'


def call(tool, *arguments, cwd):
    """Run a tool; return what it printed."""
    status, printed = run_tool(tool, *arguments, cwd=cwd)
    assert status == 0, printed[-3000:]
    return printed


@pytest.fixture
def browser():
    program = shutil.which('chromium')
    if program is None:
        pytest.skip('there is no chromium on this machine')
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=SILENT.split(), timeout=120_000
        )
        yield browser
        browser.close()


def test_report(work_dir, browser, tmp_path):
    printed = call('visualization/report.py', work_dir, cwd=tmp_path)
    assert 'Report: report.html' in printed
    page = browser.new_page()
    page.set_default_timeout(120_000)
    complaints, requests = [], []
    page.on('console', lambda message: complaints.append(message.text))
    page.on('pageerror', lambda error: complaints.append(str(error)))
    page.on('request', lambda request: requests.append(request.url))
    page.goto((tmp_path / 'report.html').as_uri())

    sizes = np.array(page.evaluate(SIZES))
    assert sizes.shape == (6, 3)  # curves, three of ranking, two of clusters
    assert (sizes > 200).all()
    headings = page.locator('h2').all_inner_texts()
    assert headings[:3] == [
        'Run',
        'Metrics on the test set',
        'Metrics of camera pairs: mAP / rank-1 in percent',
    ]
    assert headings[-1] == 'Configuration'
    assert (
        'chosen by its results on a test set' in page.locator('#section-1').inner_text()
    )
    assert 'TinyBackbone' in page.locator('pre').inner_text()
    rows = page.locator('#section-3 tbody tr').all_inner_texts()
    assert [row.split('\t')[0] for row in rows] == ['camera 1', 'camera 2']

    links = page.locator('nav a')
    assert links.all_inner_texts() == headings
    for number in range(1, len(headings) + 1):
        links.nth(number - 1).click()
        assert page.url.endswith(f'#section-{number}')
        bottom = page.evaluate('innerHeight + scrollY >= document.body.scrollHeight')
        assert bottom or abs(page.evaluate(PLACE, f'section-{number}')) < 2
        page.locator(f'#section-{number} .top a').click()
        assert page.url.endswith('#contents')
    assert complaints == []
    assert {url.split(':')[0] for url in requests} <= {'file', 'data'}


@pytest.mark.slow
def test_grad_cam(work_dir, tmp_path):
    call('visualization/draw_grad_cam.py', work_dir, '--pairs', 2, cwd=tmp_path)
    with Image.open(tmp_path / 'grad_cam.png') as picture:
        assert picture.width > 250


@pytest.mark.slow
def test_curves(work_dir, tmp_path):
    printed = call('visualization/plot_curves.py', work_dir, cwd=tmp_path)
    assert 'mAP: ' in printed
    assert (work_dir / 'curves.png').is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ('tool', 'arguments'),
    [
        ('draw_rank_lists.py', ['--kinds', 'worst', '--no-cameras']),
        ('draw_clusters.py', ['--clusters', 2]),
        ('plot_cmc.py', []),
        ('plot_similarities.py', []),
        ('draw_embedding_map.py', ['--method', 'umap', '--images', 30]),
    ],
)
def test_pictures(work_dir, market_root, tmp_path, tool, arguments):
    """From a config and a checkpoint, as SVG."""
    source = [work_dir / 'tiny.py', work_dir / 'epoch_2.pth']
    options = ['--data-root', market_root, '--out', 'picture.svg', *arguments]
    call(f'visualization/{tool}', *source, *options, cwd=tmp_path)
    assert '<svg' in (tmp_path / 'picture.svg').read_text()[:1000]


@pytest.fixture
def run_data(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / 'tools' / 'visualization')
    with safe_loading():
        yield importlib.import_module('run_data')


def test_preprocessor_beside_the_model(work_dir, tmp_path, run_data):
    """MMEngine takes it from there, too."""
    cfg = Config.fromfile(work_dir / 'tiny.py')
    cfg.data_preprocessor = cfg.model.pop('data_preprocessor')
    cfg.dump(tmp_path / 'beside.py')
    source = [str(tmp_path / 'beside.py'), str(work_dir / 'epoch_2.pth')]
    mean = 'data_preprocessor.mean=[1,2,3]'
    parser = run_data.source_parser(None, 'none.png')
    run = run_data.RunData(parser.parse_args([*source, '--cfg-options', mean]))
    assert run.model.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]


def test_unknown_cameras_are_not_shown(work_dir, tmp_path, run_data, monkeypatch):
    """ReIDImageFolder has 0 for them."""
    for index in range(6):
        Image.new('RGB', (8, 16), (40 * index, 0, 0)).save(tmp_path / f'{index}.png')
    cfg = Config.fromfile(work_dir / 'tiny.py')
    dataset = cfg.train_dataloader.dataset
    own = dict(type='ReIDImageFolder', data_root=str(tmp_path))
    cfg.train_dataloader.dataset = dict(own, pipeline=dataset.pipeline)
    cfg.dump(tmp_path / 'own.py')
    source = [str(tmp_path / 'own.py'), str(work_dir / 'epoch_2.pth')]
    parser = run_data.source_parser(None, 'none.png')
    images = run_data.RunData(parser.parse_args(source)).clustered_images()
    assert images.cameras is None
    assert len(images.map().axes) == 1  # by cluster


def test_tracks_and_parts_are_clustered_as_in_training(
    work_dir, market_root, tmp_path, run_data
):
    """The images of a track share a label; the parts of an image are left out."""
    rng = np.random.default_rng(0)
    rows = ['path,cam,track']
    for index in range(12):
        noise = rng.integers(0, 255, (16, 8, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f'{index}.png')
        rows.append(f'{index}.png,1,{index // 4}')
    (tmp_path / 'crops.csv').write_text('\n'.join(rows))
    cfg = Config.fromfile(work_dir / 'tiny.py')
    pipeline = cfg.train_dataloader.dataset.pipeline
    cfg.train_dataloader.dataset = dict(
        type='ReIDImageFolder',
        data_root=str(tmp_path),
        train='crops.csv',
        pipeline=pipeline,
    )
    clusterer = dict(type='Tracklets', clusterer=dict(type='AutoDBSCAN'))
    cfg.default_hooks.cluster_memory.clusterer = clusterer
    cfg.model.neck = dict(type='PartPooling', num_parts=2)
    cfg.model.head.update(in_channels=48, memory=dict(type='PartMemory', num_parts=2))
    cfg.dump(tmp_path / 'own.py')
    with scope_of(cfg):
        model = MODELS.build(cfg.model)
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'own.pth')
    source = [str(tmp_path / 'own.py'), str(tmp_path / 'own.pth')]
    parser = run_data.source_parser(None, 'none.png')
    images = run_data.RunData(parser.parse_args(source)).clustered_images()
    assert images.features.shape == (12, 16)
    order = np.argsort([int(Path(path).stem) for path in images.paths])
    for own in images.labels[order].reshape(3, 4):
        assert own[0] >= 0
        assert len(set(own)) == 1


def test_labels_of_a_checkpoint(work_dir, market_root, tmp_path, run_data):
    """One from between two clusterings holds those of its epoch."""
    checkpoint = load_file(str(work_dir / 'epoch_2.pth'))
    labels = np.arange(len(list(market_root.glob('bounding_box_train/*.jpg')))) // 5
    saved = {'iteration': 0, 'memory': {'labels': torch.from_numpy(labels)}}
    torch.save(checkpoint | {'cluster_memory': saved}, tmp_path / 'epoch_2.pth')
    source = [str(work_dir / 'tiny.py'), str(tmp_path / 'epoch_2.pth')]
    arguments = [*source, '--data-root', str(market_root)]
    parser = run_data.source_parser(None, 'none.png')
    images = run_data.RunData(parser.parse_args(arguments)).clustered_images()
    np.testing.assert_array_equal(images.labels, labels)


def test_what_is_missing(work_dir, tmp_path, run_data):
    find_run = run_data.find_run
    config, checkpoint = find_run(str(work_dir), None)
    assert config == work_dir / 'tiny.py'
    assert checkpoint.name.startswith('best_reid_mAP')
    with pytest.raises(FileNotFoundError, match=r'Which checkpoint.* is a config'):
        find_run(str(config), None)
    with pytest.raises(FileNotFoundError, match='neither a config file nor the work'):
        find_run(str(tmp_path), None)
    shutil.copy(config, tmp_path)
    with pytest.raises(FileNotFoundError, match='holds no checkpoint yet'):
        find_run(str(tmp_path), None)
    shutil.copy(work_dir / 'epoch_2.pth', tmp_path)
    assert find_run(str(tmp_path), None)[1] == tmp_path / 'epoch_2.pth'
