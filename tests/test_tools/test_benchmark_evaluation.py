import json
import sys
from pathlib import Path

import numpy as np
import pytest
from tool_runs import run_tool

TOOLS = Path(__file__).parents[2] / 'tools' / 'analysis_tools'
sys.path.insert(0, str(TOOLS))

from stage_meter import Measurement  # noqa: E402  after the path
from textbook_ranking import compiled_ranking, sorted_ranking  # noqa: E402
from textbook_re_ranking import dense_re_ranking  # noqa: E402

GOLDEN = dict(np.load(Path(__file__).parents[1] / 'data' / 'ranking.npz'))


def run(*arguments, cwd):
    tool = 'analysis_tools/benchmark_evaluation.py'
    status, printed = run_tool(tool, *arguments, cwd=cwd)
    assert status == 0, printed
    return printed


def test_compares_three_ways_of_ranking(tmp_path):
    arguments = '--sklearn-queries', '200', '--json', str(tmp_path / 'b.json')
    output = run(*arguments, cwd=tmp_path)
    rows = json.loads((tmp_path / 'b.json').read_text())['rows']
    kinds = ['distances', 'ours', 'compiled sort', 'scikit-learn']
    kinds += ['ours, one call', 'ROC, one call']
    assert [row['what'] for row in rows] == kinds
    assert [row['queries'] for row in rows] == [600, 600, 600, 200, 600, 600]
    assert all(row['same'] for row in rows[1:4])
    product, ours, compiled, sklearn, call, _ = rows
    # On the clock other programs decide.
    assert sklearn['CPU s'] > compiled['CPU s'] > ours['CPU s'] > 0
    assert ours['total s'] == pytest.approx(product['s'] + ours['s'])
    assert sklearn['ratio'] == pytest.approx(sklearn['s'] / ours['s'])
    assert 0 < call['mAP'] < call['CMC@1'] <= 1
    assert all(row['peak MB'] > 50 for row in rows)
    assert 'total ratio' in output


def test_re_ranks_as_the_textbook(tmp_path):
    run('--rerank', '--json', str(tmp_path / 'b.json'), cwd=tmp_path)
    rows = json.loads((tmp_path / 'b.json').read_text())['rows']
    kinds = ['re-ranking', 'ranking by it', 'ours as a matrix', 'textbook']
    assert [row['what'] for row in rows] == kinds
    assert rows[-1]['same']
    assert rows[-1]['added MB'] > rows[0]['added MB']


@pytest.mark.parametrize('rank', [sorted_ranking, compiled_ranking])
@pytest.mark.parametrize('kind', ['plain', 'ties', 'negative'])
def test_the_textbook_ranks_as_the_public_code(rank, kind):
    query, gallery = GOLDEN['query_features'], GOLDEN['gallery_features']
    distances = {
        'plain': GOLDEN['rerank_distance'],
        'ties': np.round(2 - 2 * query @ gallery.T, 1),
        'negative': -query @ gallery.T,
    }[kind].astype(np.float32)
    names = ('query_pids', 'gallery_pids', 'query_cams', 'gallery_cams')
    labels = [GOLDEN[name] for name in names]
    precisions, first_match = rank(distances, *labels)
    expected = sorted_ranking(distances.astype(np.float64), *labels)
    np.testing.assert_allclose(precisions, expected[0], atol=1e-12)
    np.testing.assert_array_equal(first_match, expected[1])
    if kind == 'plain':
        cmc = [(first_match[first_match > 0] <= k).mean() for k in range(1, 101)]
        np.testing.assert_allclose(cmc, GOLDEN['rerank_cmc'], atol=1e-6)
        assert np.nanmean(precisions) == pytest.approx(
            float(GOLDEN['rerank_mAP']), abs=1e-6
        )


def test_the_textbook_re_ranks_as_the_public_code():
    distance = dense_re_ranking(GOLDEN['query_features'], GOLDEN['gallery_features'])
    np.testing.assert_allclose(distance, GOLDEN['rerank_distance'], atol=1e-5)


def test_parts_of_a_stage():
    cost = Measurement()
    cost.include(Measurement(1.0, 2.0, 30.0, 4.0))
    cost.include(Measurement(0.5, 0.5, 20.0, 5.0))
    assert cost == Measurement(1.5, 2.5, 30.0, 5.0)
