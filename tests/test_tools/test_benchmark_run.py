"""A whole run beside a textbook version of it."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.slow
def test_both_train_on_the_same(tmp_path):
    options = [f'{loader}.dataset.train_identities=30' for loader in LOADERS]
    options += [f'{loader}.dataset.data_root={tmp_path}/drawn' for loader in LOADERS]
    options.append('train_dataloader.sampler.iters_per_epoch=3')
    tool = ROOT / 'tools' / 'analysis_tools' / 'benchmark_run.py'
    report = tmp_path / 'run.json'
    command = [sys.executable, str(tool), '--epochs', '1']
    done = subprocess.run(
        [*command, '--json', str(report), '--cfg-options', *options],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(report.read_text())
    ours, textbook = found['ours'], found['textbook']
    assert ours['clusters'] == textbook['clusters']
    for run in (ours, textbook):
        stages = ('features', 'labels', 'iterations', 'test')
        parts = sum(run['costs'][stage]['cpu_seconds'] for stage in stages)
        assert 0 < parts < run['costs']['all']['cpu_seconds']
        assert run['mAP'] > 10


LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
