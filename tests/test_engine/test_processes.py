"""One result on 1, 2, 4 and 8 processes: labels, losses, centroids, weights, mAP."""

import json

import pytest
import torch
from conftest import ROOT
from tool_runs import run_tool

CONFIG = """
_base_ = '{root}/configs/{base}.py'
custom_imports = dict(imports=['double_precision', 'recording'])
model = dict({model}
             {network})
{optimizer}
default_hooks = dict(cluster_memory=dict(debug=True{clusterer}),
                     logger=dict(interval=1),
                     batch_norm_groups=dict(samples_per_bn={group}))
custom_hooks = [dict(type='RecordHook', priority='LOWEST'){hooks}]
people = dict(data_root='{data}', {people})
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=people,
                        sampler=dict(iters_per_epoch={iterations}))
test_dataloader = dict(num_workers=0, persistent_workers=False, dataset=people)
train_cfg = dict(max_epochs={epochs})
test_evaluator = dict(type='ReIDMetric')
val_cfg = val_dataloader = val_evaluator = None
"""
PRECISIONS = {
    'float64': {
        'model': """type='DoubleClassifier',
             data_preprocessor=dict(type='DoublePreprocessor'),""",
        'optimizer': '',
    },
    # At the rate of the recipe the rounding of float32 grows tenfold in ten iterations,
    # until clusters differ: docs/distributed.md.
    'float32': {
        'model': '',
        'optimizer': 'optim_wrapper = dict(optimizer=dict(lr=1e-5))',
    },
}
SIZES = {
    'small': {
        'epochs': 2,
        'iterations': 4,
        'people': 'train_identities=24, test_identities=2, shots=4',
        'network': """backbone=dict(stem_channels=16, base_channels=16),
             head=dict(in_channels=128)""",
    },
    'tested': {
        'epochs': 2,
        'iterations': 4,
        'people': 'train_identities=24, test_identities=20, shots=4',
        'network': '',
    },
    'full': {
        'epochs': 3,
        'iterations': 20,
        'people': 'train_identities=40, test_identities=20',
        'network': '',
    },
}


def call(tool, *arguments, processes, cwd):
    """Run tools/train.py or tools/test.py in so many processes."""
    status, printed = run_tool(
        f'{tool}.py', *arguments, cwd=cwd, processes=processes, timeout=600
    )
    assert status == 0, printed[-3000:]


def records(tmp_path, processes, config):
    """Train, and return what every process recorded."""
    work_dir = tmp_path / f'{config.stem}_{processes}'
    call('train', config, '--work-dir', work_dir, processes=processes, cwd=tmp_path)
    return [torch.load(work_dir / f'rank_{r}.pt') for r in range(processes)]


def largest_difference(found, expected):
    """Relative to the largest value of each tensor."""
    pairs = zip(found, expected, strict=True)
    return max(((a - b).abs().max() / b.abs().max()).item() for a, b in pairs)


def difference_of_weights(found, expected):
    """Relative to how far training has moved them (Euclidean norm)."""
    moved, differing = [], []
    for name, initial in expected['initial'].items():
        differing.append((found['weights'][name] - expected['weights'][name]).flatten())
        moved.append((expected['weights'][name] - initial).flatten())
    return (torch.cat(differing).norm() / torch.cat(moved).norm()).item()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('processes')


# In a fifth of the time of the settings that are found: test_pseudo_labels.py. Those
# are chosen by a vote, which the last digit of float32 can turn.
DBSCAN = """,
                     clusterer=dict(_delete_=True, type='DBSCAN', eps=0.6,
                                    min_samples=2, k1=10, k2=3)"""


def write_config(folder, precision, size, base='cc_r18_synthetic', hooks='', group=16):
    """Of a run of some epochs."""
    config = folder / f'{precision}_{size}_{base}.py'
    fast = size == 'small' and base in FAST
    settings = {
        **PRECISIONS[precision],
        **SIZES[size],
        'base': base,
        'hooks': hooks,
        'clusterer': DBSCAN if fast or precision == 'float32' else '',
        'group': group,
        'data': size,
    }
    if base == 'mmt_r18_synthetic':
        settings['network'] = TWINS
        settings['model'] = settings['model'].replace('DoubleC', 'DoubleMutualC', 1)
    elif base == 'pplr_r18_synthetic':
        settings['network'] = PARTS
    elif base.startswith(('adca', 'pgm')):
        settings['model'] = settings['model'].replace('DoubleC', 'DoubleMultiViewC', 1)
        settings['data'] += '_infrared'
    elif hooks:
        settings['model'] = settings['model'].replace('DoubleC', 'DoubleTaughtC', 1)
    config.write_text(CONFIG.format(root=ROOT, **settings))
    return config


FAST = 'cc_r18_synthetic', 'mt_r18_synthetic'
TEACHER = ", dict(type='TeacherHook', momentum=0.1)"
METHODS = {
    'adca': '',
    'cap': '',
    'ice': TEACHER,
    'ise': '',
    'mmt': TEACHER,
    'mt': TEACHER,
    'pgm': '',
    'pplr': '',
    'spcl': '',
}
PARTS = """backbone=dict(stem_channels=16, base_channels=16),
             head=dict(in_channels=512)"""
TWIN = "dict(type='ResNet', depth=18, stem_channels=16, base_channels=16)"
TWINS = f'backbone=dict(networks=[{TWIN}, {TWIN}]), head=dict(in_channels=256)'


@pytest.mark.parametrize(
    'method',
    [
        'mt',
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in sorted(METHODS.keys() - {'mt'})
        ),
    ],
)
def test_methods(folder, method):
    base = f'{method}_r18_synthetic'
    config = write_config(folder, 'float64', 'small', base, METHODS[method])
    alone = records(folder, 1, config)[0]
    ranks = records(folder, 2, config)
    losses = torch.tensor([rank['losses'] for rank in ranks], dtype=torch.double)
    expected = torch.tensor(alone['losses'], dtype=torch.double)
    report = [largest_difference([losses.mean(dim=0)], [expected])]
    for rank in ranks:
        for found, wanted in zip(rank['labels'], alone['labels'], strict=True):
            assert torch.equal(found, wanted)
        report.append(largest_difference(rank['centroids'], alone['centroids']))
        report.append(difference_of_weights(rank, alone))
    assert max(report) < 1e-8, report


@pytest.mark.parametrize(
    ('precision', 'size', 'tolerance', 'group', 'all_processes'),
    [
        # Two share a batch norm group. With 2 processes, each has two: `test_methods`.
        ('float64', 'small', 1e-8, 32, [4]),
        # Of 8, two share a group; each of 4 has one.
        pytest.param('float64', 'full', 1e-8, 16, [2, 4, 8], marks=pytest.mark.slow),
        pytest.param('float32', 'full', 1e-3, 16, [2, 4, 8], marks=pytest.mark.slow),
    ],
)
def test_training(folder, precision, size, tolerance, group, all_processes):
    config = write_config(folder, precision, size, group=group)
    alone = records(folder, 1, config)[0]
    assert len(alone['losses']) == SIZES[size]['epochs'] * SIZES[size]['iterations']
    for processes in all_processes:
        ranks = records(folder, processes, config)
        losses = torch.tensor([rank['losses'] for rank in ranks], dtype=torch.double)
        expected = torch.tensor(alone['losses'], dtype=torch.double)
        report = [largest_difference([losses.mean(dim=0)], [expected])]
        for rank in ranks:
            for found, wanted in zip(rank['labels'], alone['labels'], strict=True):
                assert torch.equal(found, wanted)
            report.append(largest_difference(rank['centroids'], alone['centroids']))
            report.append(difference_of_weights(rank, alone))
        assert max(report) < tolerance, report


@pytest.mark.slow  # test_train_and_test.py does it with 2
def test_testing(folder, tmp_path):
    """The mAP of the same weights."""
    config = write_config(folder, 'float32', 'tested')
    records(folder, 1, config)
    checkpoint = folder / f'{config.stem}_1' / 'epoch_2.pth'
    results = []
    for processes in (1, 4):
        out = tmp_path / f'{processes}.json'
        call('test', config, checkpoint, '--out', out, processes=processes, cwd=folder)
        results.append(json.loads(out.read_text()))
    assert 10 < results[0]['reid/mAP'] < 90  # far from 0 and 100, where all agree
    assert results[1] == pytest.approx(results[0], abs=1e-4)  # percent
