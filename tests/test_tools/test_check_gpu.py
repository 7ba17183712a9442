"""The check of a GPU, in the size of a CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools' / 'analysis_tools'
sys.path.insert(0, str(TOOLS))

import gpu_correctness  # noqa: E402
from check_steps import Finding, Skipped, run_steps  # noqa: E402
from gpu_recipes import TINY  # noqa: E402


def check(tmp_path, *arguments):
    """Run it; return status and steps by name."""
    file = tmp_path / 'check.json'
    done = subprocess.run(
        [sys.executable, TOOLS / 'check_gpu.py', '--tiny', '--json', file, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert file.exists(), done.stderr[-3000:]
    return done, {step['name']: step for step in json.loads(file.read_text())['steps']}


def test_steps_in_one_process(tmp_path):
    """What is compared is right, and what is measured has a value."""
    done, steps = check(
        tmp_path, '--only', 'versions', 'memory', 'search', 'groups', 'extraction'
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert {step['status'] for step in steps.values()} == {'ok'}
    compared = {
        name: [finding['right'] for finding in step['findings']]
        for name, step in steps.items()
    }
    assert len(compared['memory']) == 14
    for name in ('memory', 'groups'):
        assert all(compared[name])
    assert compared['search'].count(True) == 3
    assert 'indices, 300 × 256' in done.stdout


@pytest.mark.slow
def test_all_steps(tmp_path):
    done, steps = check(tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    skipped = {name for name, step in steps.items() if step['status'] != 'ok'}
    assert skipped <= {'synchronisations'}
    assert len(steps) == 11


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


@pytest.mark.gpu
def test_an_iteration_waits_for_nothing_of_ours(tmp_path):
    [step] = run_steps(
        {'it': lambda: gpu_correctness.count_synchronisations(TINY, tmp_path)}, 300
    )
    assert step.status == 'ok', step
