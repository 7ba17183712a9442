"""The wheel holds configs and tools, and trains where nothing else of ours is."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, write_crop

pytestmark = pytest.mark.slow

SOURCES = ('mmreid_cc', 'configs', 'tools', 'requirements', 'setup.py', 'README.md')
CONFIG = """
_base_ = '{base}'
model = dict(backbone=dict(depth=18, base_channels=8, stem_channels=8, init_cfg=None),
             head=dict(in_channels=64))
loader = dict(num_workers=0, persistent_workers=False, pin_memory=False)
train_dataloader = dict(
    batch_size=8, dataset=dict(type='ReIDDataset'),
    sampler=dict(num_clusters=2, num_instances=4, iters_per_epoch=2), **loader)
val_dataloader = dict(batch_size=8, dataset=dict(type='ReIDDataset'), **loader)
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(
    logger=dict(interval=1),
    cluster_memory=dict(clusterer=dict(min_samples=2, k1=4, k2=2)))
"""


def run(*command, cwd, **environment):
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """A folder with the wheel installed; the checkout is left alone."""
    folder = tmp_path_factory.mktemp('wheel')
    copy = folder / 'copy'
    copy.mkdir()
    no_caches = shutil.ignore_patterns('__pycache__', '.mim')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=no_caches)
        else:
            shutil.copy(ROOT / name, copy / name)
    pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check']
    build = ['--no-deps', '--no-build-isolation', '--wheel-dir', folder]
    run(*pip, 'wheel', copy, *build, cwd=folder)
    (wheel,) = folder.glob('*.whl')
    site = folder / 'site'
    run(*pip, 'install', wheel, '--no-deps', '--target', site, cwd=folder)
    shutil.rmtree(copy)
    return site


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    """4 people for training, 4 others for the test, in 2 cameras."""
    root = tmp_path_factory.mktemp('data')
    for pid in range(1, 9):
        for cam in (1, 2):
            for shot in range(3):
                part = 'bounding_box_train'
                if pid > 4:
                    part = 'query' if shot == 0 else 'bounding_box_test'
                path = root / part / f'{pid:04d}_c{cam}s1_{shot:06d}_00.jpg'
                write_crop(path, pid, seed=10 * pid + shot)
    return root


def test_all_configs_and_tools_are_packed(site):
    mim = site / 'mmreid_cc' / '.mim'
    for folder in ('configs', 'tools'):
        files = {
            path.relative_to(ROOT)
            for path in (ROOT / folder).rglob('*')
            if path.is_file() and '__pycache__' not in path.parts
        }
        packed = {p.relative_to(mim) for p in (mim / folder).rglob('*') if p.is_file()}
        assert {p for p in packed if p.suffix != '.pyc'} == files
    assert os.access(mim / 'tools' / 'dist_train.sh', os.X_OK)
    index = (mim / 'model-index.yml').read_text()
    assert index == (ROOT / 'configs' / 'model-index.yml').read_text()


def train(base, site, data_root, folder):
    """Train two iterations by the installed tool; return what it printed."""
    (folder / 'own.py').write_text(CONFIG.format(base=base))
    tool = site / 'mmreid_cc' / '.mim' / 'tools' / 'train.py'
    printed = run(
        tool, 'own.py', '--data-root', data_root, cwd=folder, PYTHONPATH=str(site)
    )
    assert 'Epoch(train) [1][2/2]' in printed
    assert (folder / 'work_dirs' / 'own' / 'epoch_1.pth').is_file()
    return printed


def test_training_from_the_wheel(site, data_root, tmp_path):
    where = 'import mmreid_cc; print(mmreid_cc.__file__)'
    assert str(site) in run('-c', where, cwd=tmp_path, PYTHONPATH=str(site))
    base = site / 'mmreid_cc' / '.mim' / 'configs' / 'cc_r50_market.py'
    train(base, site, data_root, tmp_path)


def test_training_with_a_config_that_inherits_by_package(site, data_root, tmp_path):
    """Of a config in the top folder by a detour, as MMEngine's syntax needs."""
    train('mmreid_cc::_base_/../cc_r50_market.py', site, data_root, tmp_path)
