"""The wheel in a fresh environment: it brings configs and tools, and trains."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, write_crop

pytestmark = pytest.mark.slow

SOURCES = ('mmreid_cc', 'configs', 'tools', 'requirements', 'setup.py', 'README.md')
CONFIG = """
_base_ = {base}
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


def run(*command, cwd):
    """What a command prints."""
    without = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'PATH')}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**without, 'PATH': f'{command[0].parent}:{os.environ["PATH"]}'},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def install(environment, *packages):
    """Install from the registry, or skip the test."""
    pip = [environment / 'bin' / 'pip', 'install', '--quiet', *packages]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f'pip cannot install {packages}: {done.stderr[-300:]}')


@pytest.fixture(scope='module')
def environment(tmp_path_factory):
    """With the wheel and what it asks for, and nothing else of ours."""
    folder = tmp_path_factory.mktemp('wheel')
    copy = folder / 'copy'
    copy.mkdir()
    no_caches = shutil.ignore_patterns('__pycache__', '.mim')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=no_caches)
        else:
            shutil.copy(ROOT / name, copy / name)
    python = Path(sys.executable)
    build = ['--no-deps', '--no-build-isolation', '--wheel-dir', folder]
    run(python, '-m', 'pip', '--quiet', 'wheel', copy, *build, cwd=folder)
    (wheel,) = folder.glob('*.whl')
    shutil.rmtree(copy)
    environment = folder / 'environment'
    run(python, '-m', 'venv', environment, cwd=folder)
    pinned = ROOT / 'requirements' / 'constraints.txt'
    install(environment, '--constraint', pinned, f'{wheel}[mm]')
    yield environment
    shutil.rmtree(folder)  # some GB


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


@pytest.fixture(scope='module')
def mim(environment):
    """Where OpenMMLab's tools look for configs and tools."""
    (package,) = environment.glob('lib/python*/site-packages/mmreid_cc')
    return package / '.mim'


def test_nothing_is_missing(environment, tmp_path):
    printed = run(environment / 'bin' / 'pip', 'check', cwd=tmp_path)
    assert 'No broken requirements found' in printed


def test_all_configs_and_tools_are_packed(mim):
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


PARTS = ('datasets/market1501', 'models/cc_r50', 'schedules/adam_50e')
BASES = {
    'path': ['{mim}/configs/cc_r50_market.py'],
    # By a detour, as MMEngine's syntax needs.
    'top folder': ['mmreid_cc::_base_/../cc_r50_market.py'],
    'parts': [
        *(f'mmreid_cc::_base_/{part}.py' for part in PARTS),
        'mmreid_cc::_base_/default_runtime.py',
    ],
}


def check_training(printed, folder):
    assert 'Epoch(train) [1][2/2]' in printed
    assert (folder / 'work_dirs' / 'own' / 'epoch_1.pth').is_file()


@pytest.mark.parametrize('base', BASES)
def test_training_from_another_folder(environment, mim, data_root, tmp_path, base):
    bases = [part.format(mim=mim) for part in BASES[base]]
    (tmp_path / 'own.py').write_text(CONFIG.format(base=bases))
    python, tool = environment / 'bin' / 'python', mim / 'tools' / 'train.py'
    printed = run(python, tool, 'own.py', '--data-root', data_root, cwd=tmp_path)
    check_training(printed, tmp_path)


def test_mim(environment, data_root, tmp_path):
    """It wants other setuptools than torch does, and is the last to be installed."""
    install(environment, 'openmim==0.3.9', 'setuptools<81')
    (tmp_path / 'own.py').write_text(CONFIG.format(base=BASES['top folder']))
    command = environment / 'bin' / 'mim', 'train', 'mmreid_cc', 'own.py'
    printed = run(*command, '--data-root', data_root, cwd=tmp_path)
    check_training(printed, tmp_path)
