"""Training for long takes no more memory, file handles or threads than for short."""

import json
import multiprocessing
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_cc.registry import HOOKS

EPOCHS = int(os.environ.get('SOAK_EPOCHS', 200))
"""``SOAK_EPOCHS=30 pytest -m slow tests/test_reliability/test_soak.py`` is a quick try;
what is measured is written to the file of ``SOAK_REPORT``, if that is set."""

ALLOWED_GROWTH = 30
"""In MB, of all processes, from the end of the warm-up to the last epoch."""


def own_megabytes(pid: int) -> float:
    """Memory of a process without its files, of shared pages its share.

    The share of a library's pages would change with whatever else runs on the machine.
    """
    lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
    counted = ('Pss_Anon:', 'Pss_Shmem:')
    return (
        sum(int(line.split()[1]) for line in lines if line.startswith(counted)) / 1024
    )


@HOOKS.register_module()
class ResourceMeter(Hook):
    """After every epoch: memory of all processes, handles, threads, processes."""

    def __init__(self):
        self.rows = []

    def after_train_epoch(self, runner):
        workers = [worker.pid for worker in multiprocessing.active_children()]
        status = Path('/proc/self/status').read_text()
        row = dict(
            epoch=runner.epoch + 1,
            main=own_megabytes(os.getpid()),
            workers=sum(own_megabytes(pid) for pid in workers),
            processes=1 + len(workers),
            handles=len(os.listdir('/proc/self/fd')),
            threads=int(status.split('Threads:')[1].split()[0]),
        )
        self.rows.append(row)


@pytest.fixture
def config(tmp_path):
    """The demo's recipe: fewer people, a tiny backbone, workers that stay."""
    config = Config.fromfile(ROOT / 'configs' / 'cc_r18_synthetic.py')
    config.model.backbone = dict(type='TinyBackbone')
    # Features of 256 dimensions: one copy kept per epoch would be seen.
    config.model.head.update(in_channels=16, embed_dim=256)
    people = dict(train_identities=40, test_identities=8, cameras=3, shots=5)
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        loader.dataset.update(data_root=str(tmp_path / 'synthetic'), **people)
        loader.update(num_workers=1, persistent_workers=True)
    config.train_dataloader.sampler.iters_per_epoch = 5
    config.train_cfg.update(max_epochs=EPOCHS, val_interval=5)
    config.custom_hooks = [dict(type='ResourceMeter')]
    config.work_dir = str(tmp_path / 'work_dir')
    config.experiment_name = tmp_path.name
    return config


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_soak(config):
    runner = Runner.from_cfg(config)
    runner.train()
    (meter,) = (hook for hook in runner.hooks if isinstance(hook, ResourceMeter))
    rows = meter.rows
    assert len(rows) == EPOCHS
    if report := os.environ.get('SOAK_REPORT'):
        Path(report).write_text(json.dumps(rows, indent=1))

    # Compilers, caches and the first validations fill the memory at the beginning.
    after = rows[EPOCHS // 5 :]
    tenth = max(1, len(after) // 10)
    total = np.array([row['main'] + row['workers'] for row in after])
    growth = np.median(total[-tenth:]) - np.median(total[:tenth])
    print(f'{total[0]:.1f} MB after the warm-up, growth {growth:+.2f} MB')
    assert growth < ALLOWED_GROWTH
    for what in ('processes', 'handles', 'threads'):
        counts = [row[what] for row in after]
        assert max(counts[-tenth:]) <= max(counts[:tenth]), (what, counts)
    saved = {path.name for path in Path(config.work_dir).glob('epoch_*')}
    assert saved == {f'epoch_{EPOCHS - 1}.pth', f'epoch_{EPOCHS}.pth'}
