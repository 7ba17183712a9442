"""Nothing is printed that is of other libraries and that a user cannot act on."""

import re

import pytest
from conftest import ROOT
from tool_runs import run_tool

# Of Python's warnings, of a log, of a bare `print` of the maintained mmpretrain.
NOTICE = re.compile(r'\w*Warning: | - WARNING - |^Could not import', re.MULTILINE)

CONFIG = """
_base_ = '{root}/configs/cc_mbv2_cuhk03.py'
custom_imports = dict(imports=['tiny_backbone'])
model = dict(backbone=dict(_delete_=True, type='TinyBackbone'),
             head=dict(in_channels=16))
dataset = dict(data_root='{data}')
train_dataloader = dict(
    batch_size=16, dataset=dataset, pin_memory=True, num_workers=4,
    sampler=dict(num_clusters=4, num_instances=4, iters_per_epoch=2))
val_dataloader = dict(dataset=dataset, pin_memory=True, num_workers=4)
test_dataloader = val_dataloader
clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
train_cfg = dict(max_epochs=1)
"""


def notices(printed):
    """The lines of an output that nobody wants to read."""
    return [line for line in printed.splitlines() if NOTICE.search(line)]


@pytest.fixture(scope='module')
def run_of_the_demo(market_root, tmp_path_factory):
    """What tools print, each in turn, on a run of two steps."""
    folder = tmp_path_factory.mktemp('quiet')
    config = folder / 'quiet.py'
    config.write_text(CONFIG.format(root=ROOT, data=market_root))
    work_dir = folder / 'run'
    printed = {}
    for tool, *arguments in (
        ('train.py', config, '--work-dir', work_dir),
        ('test.py', config, work_dir / 'epoch_1.pth', '--work-dir', folder / 'test'),
        ('visualization/draw_rank_lists.py', work_dir, '--out', folder / 'lists.png'),
        ('visualization/plot_curves.py', work_dir, '--out', folder / 'curves.png'),
        ('visualization/report.py', work_dir, '--out', folder / 'report.html'),
    ):
        status, printed[tool] = run_tool(tool, *arguments, cwd=folder)
        assert status == 0, printed[tool][-8000:]
    return printed


def test_the_tools_of_the_demo(run_of_the_demo):
    found = {tool: notices(printed) for tool, printed in run_of_the_demo.items()}
    assert found == {tool: [] for tool in run_of_the_demo}


def test_a_log_opens_with_what_the_run_works_on(run_of_the_demo, market_root):
    lines = {
        tool: [line.partition(' - INFO - ')[2].split(' (')[0] for line in text]
        for tool, printed in run_of_the_demo.items()
        if (text := printed.partition('\n---')[0].splitlines()[:-1])
    }
    # Before them, the data set says what it passed over.
    assert lines['train.py'][-5:-1] == [
        f'Data: train of {market_root}',
        'Images: 48',
        'People: 8, for the log only: training never looks at them',
        'Cameras: 2',
    ]
    assert lines['train.py'][-1].startswith('Device: ')
    assert lines['test.py'][-4:-2] == ['Images: 25', 'People: 4']


def test_notices_are_found():
    """Else the test above would pass on anything."""
    printed = (
        'a.py:1: UserWarning: b\n'
        '11/27 09:08:02 - mmengine - WARNING - "FileClient" will be deprecated\n'
        'Could not import OneDL\n'
        '11/27 09:08:02 - mmengine - INFO - Data'
    )
    assert len(notices(printed)) == 3
