"""The tables that compare found settings with the best ones."""

import json

import numpy as np
import pytest
from tool_runs import run_tool


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A gallery of twelve people in two cameras."""
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(12, 32)), 8, axis=0)
    rows += 0.4 * rng.normal(size=rows.shape)
    folder = tmp_path_factory.mktemp('settings')
    np.savez(
        folder / 'people.npz',
        **{
            'embeddings': rows / np.linalg.norm(rows, axis=1, keepdims=True),
            'metadata/pid': np.repeat(np.arange(12), 8),
            'metadata/cam_id': np.arange(96) % 2,
        },
    )
    return folder


def run(folder, tool, *arguments):
    arguments = ['people=people.npz', *arguments, '--json', 'rows.json']
    status, printed = run_tool(f'analysis_tools/{tool}.py', *arguments, cwd=folder)
    assert status == 0, printed
    return printed, json.loads((folder / 'rows.json').read_text())['rows']


@pytest.mark.slow  # clusters noise, too
def test_settings(folder):
    printed, (people, noise) = run(folder, 'benchmark_settings', '--seeds', '1')
    assert '| people, all | 96 |' in printed
    assert '| uniform noise | 2000 | no people |' in printed
    assert 'Median share' in printed
    assert people['share'] == pytest.approx(people['F1'] / people['best'])
    assert people['F1'] > 0.9
    assert noise['chosen'] is None


def test_settings_across_cameras(folder):
    parts = '--parts', 'all', 'one camera', '4 of each'
    printed, rows = run(folder, 'benchmark_camera_settings', *parts)
    assert '| people, all | 96 |' in printed
    assert [row['case'] for row in rows] == ['people, all', 'people, 4 of each']
    assert rows[0]['people'] == 12
    pairs = 'F1 across cameras'
    assert rows[0]['best'] >= rows[0]['AutoAgglomerative'][pairs] > 0.9
    assert rows[0]['ByCamera'][pairs] > 0.9
