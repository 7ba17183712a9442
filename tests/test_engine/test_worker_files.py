"""A run leaves nothing in the temporary folder, however it ends."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import ROOT
from tool_runs import start_server


@pytest.fixture
def setup(tiny_config, tmp_path):
    """A config of two workers for each loader, and an empty temporary folder."""
    for loader in (tiny_config.train_dataloader, tiny_config.val_dataloader):
        loader.update(num_workers=2, persistent_workers=True)
    config = tmp_path / 'tiny.py'
    text = (
        f"custom_imports = dict(imports=['tiny_backbone'])\n{tiny_config.pretty_text}"
    )
    config.write_text(text)
    folder = tmp_path / 'temporary'
    folder.mkdir()
    return config, folder


def start(config, folder, *options):
    """Start tools/train.py."""
    return subprocess.Popen(
        [start_server(), ROOT / 'tools' / 'train.py', config, *options],
        env=dict(
            os.environ,
            TMPDIR=str(folder),
            PYTHONPATH=os.pathsep.join(
                [str(ROOT / 'tests'), os.environ.get('PYTHONPATH', '')]
            ),
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def left(folder):
    return [path.name for path in folder.glob('pymp-*')]


def test_end_of_a_run(setup):
    config, folder = setup
    process = start(config, folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert left(folder) == []


def test_interrupted_run(setup):
    config, folder = setup
    process = start(config, folder, '--cfg-options', 'train_cfg.max_epochs=10000')
    end = time.monotonic() + 120
    work_dir = Path(config).parent / 'work_dir'
    while not (work_dir / 'epoch_1.pth').exists() and time.monotonic() < end:
        time.sleep(0.2)
    assert left(folder) != []
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert left(folder) == []
