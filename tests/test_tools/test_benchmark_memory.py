import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tool_runs import run_tool

TOOLS = Path(__file__).parents[2] / 'tools' / 'analysis_tools'
sys.path.insert(0, str(TOOLS))

from textbook_memory import centroid_loop, hard_loop, momentum_loop  # noqa: E402

DATA = Path(__file__).parents[1] / 'data'


def test_compares_with_the_loops(tmp_path):
    arguments = ['--repeats', '10', '--images', '2000']
    arguments += ['--json', str(tmp_path / 'b.json')]
    tool = 'analysis_tools/benchmark_memory.py'
    status, printed = run_tool(tool, *arguments, cwd=tmp_path)
    assert status == 0, printed
    rows = json.loads((tmp_path / 'b.json').read_text())['rows']
    kinds = ['momentum update', 'hard update', 'centroids']
    assert [row['what'] for row in rows] == kinds
    assert all(row['same'] for row in rows)
    assert rows[0]['CPU ratio'] > 1.5
    assert rows[0]['ratio'] == rows[0]['loop ms'] / rows[0]['ours ms']
    assert 'CPU ratio' in printed


@pytest.mark.parametrize('order', ['', '_shuffled'])
@pytest.mark.parametrize(
    ('name', 'update'), [('momentum', momentum_loop), ('hard', hard_loop)]
)
def test_the_loops_are_those_of_the_public_code(name, update, order):
    golden = np.load(DATA / f'cluster_memory_{name}{order}.npz')
    centroids = torch.tensor(golden['centroids_before'])
    queries = F.normalize(torch.tensor(golden['inputs']))
    update(
        centroids, queries, torch.tensor(golden['labels']), float(golden['momentum'])
    )
    np.testing.assert_allclose(centroids, golden['centroids_after'], atol=1e-6)


def test_centroids_by_hand():
    features = np.float32([[1, 0], [0, 1], [0, 1], [1, 0]])
    centroids = centroid_loop(features, np.array([1, 0, 1, -1]))
    np.testing.assert_allclose(centroids, [[0, 1], [0.5**0.5, 0.5**0.5]], atol=1e-6)
