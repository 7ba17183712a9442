"""The check of a GPU, in the size of a CPU."""

import json
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools' / 'analysis_tools'
sys.path.insert(0, str(TOOLS))

import check_gpu  # noqa: E402
import gpu_correctness  # noqa: E402
from check_steps import Finding, Skipped, run_steps  # noqa: E402
from gpu_recipes import TINY  # noqa: E402


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """A function that runs it and returns its status, steps by name, and the table."""

    def run(*arguments):
        file = tmp_path / 'check.json'
        command = ['check_gpu.py', '--tiny', '--json', str(file), *arguments]
        monkeypatch.setattr(sys, 'argv', command)
        with pytest.raises(SystemExit) as ended:
            check_gpu.main()
        steps = json.loads(file.read_text())['steps']
        return ended.value.code, {s['name']: s for s in steps}, capsys.readouterr().out

    return run


def test_steps_in_one_process(check):
    """What is compared is right, and what is measured has a value."""
    names = ['versions', 'memory', 'search', 'augmentation', 'groups']
    names += ['search speed', 'extraction', 'compiled']
    status, steps, printed = check('--only', *names)
    assert (list(steps), status) == (names, 0), printed
    assert {step['status'] for step in steps.values()} == {'ok'}
    compared = {
        name: [finding['right'] for finding in step['findings']]
        for name, step in steps.items()
    }
    assert len(compared['memory']) == 14
    for name in ('memory', 'augmentation', 'groups'):
        assert all(compared[name])
    assert compared['search'].count(True) == 3
    assert 'indices, 300 × 256' in printed


@pytest.mark.slow
def test_all_steps(check):
    status, steps, printed = check()
    assert status == 0, printed
    assert len(steps) == 13
    unfinished = {name for name, step in steps.items() if step['status'] != 'ok'}
    assert unfinished <= {'synchronisations'}


def test_a_wrong_value_is_found(monkeypatch):
    """An update in another order than that of the batch."""

    def backwards(centroids, queries, labels, momentum):
        gpu_correctness.momentum_loop(
            centroids, queries.flip(0), labels.flip(0), momentum
        )

    monkeypatch.setitem(gpu_correctness._LOOPS, 'momentum', backwards)
    [step] = run_steps(
        {'memory': lambda: gpu_correctness.check_memory(TINY, 'cpu')}, seconds=60
    )
    assert step.status == 'wrong'
    wrong = {finding.what for finding in step.findings if finding.right is False}
    assert 'momentum, float32: centroids' in wrong
    assert 'hard, float32: centroids' not in wrong


def test_each_step_is_caught():
    def fails():
        yield Finding('before', 1)
        raise RuntimeError('out of memory')

    def skips():
        raise Skipped('needs a GPU')
        yield

    steps = {'a': fails, 'b': skips, 'c': lambda: iter([Finding('after', 2)])}
    done = run_steps(steps, seconds=60)
    assert [step.status for step in done] == ['error', 'skipped', 'ok']
    assert [len(step.findings) for step in done] == [1, 0, 1]
    assert 'out of memory' in done[0].error
    assert [step.status for step in run_steps(steps, seconds=-1)] == ['skipped'] * 3
    done = run_steps(steps, seconds=60, needs={'c': 120})
    assert [step.status for step in done] == ['error', 'skipped', 'skipped']


def test_results_of_a_program_that_is_killed(tmp_path):
    def is_killed():
        yield Finding('before', 1)
        raise KeyboardInterrupt

    report = tmp_path / 'new' / 'check.json'
    with pytest.raises(KeyboardInterrupt):
        run_steps({'a': is_killed}, seconds=60, report=report)
    [step] = json.loads(report.read_text())['steps']
    assert step['findings'][0]['what'] == 'before'


def test_weights_that_stay_are_found(monkeypatch, tmp_path):
    """The difference is relative to the step, not to the weights."""
    build = gpu_correctness.build

    def build_that_stays(cfg, folder):
        if folder.name == 'groups_1':
            cfg.optim_wrapper.optimizer.lr = 0.0
        return build(cfg, folder)

    monkeypatch.setattr(gpu_correctness, 'build', build_that_stays)
    [step] = run_steps(
        {'groups': lambda: gpu_correctness.check_groups(TINY, tmp_path)}, seconds=60
    )
    assert step.status == 'wrong', step
    assert step.findings[0].value == pytest.approx(1, abs=0.1)


@pytest.mark.gpu
def test_an_iteration_waits_for_nothing_of_ours(tmp_path):
    [step] = run_steps(
        {'it': lambda: gpu_correctness.count_synchronisations(TINY, tmp_path)}, 300
    )
    assert step.status == 'ok', step
