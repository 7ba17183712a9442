import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tool_runs import run_tool

TOOLS = Path(__file__).parents[2] / 'tools' / 'analysis_tools'
sys.path.insert(0, str(TOOLS))

from feature_generator import generate_features  # noqa: E402  after the path
from textbook_clustering import dense_dbscan, dense_jaccard  # noqa: E402

from mmreid_cc.clustering import knn  # noqa: E402

GOLDEN = Path(__file__).parents[1] / 'data' / 'jaccard_k30_6.npz'


def run(*arguments, cwd):
    tool = 'analysis_tools/benchmark_clustering.py'
    status, printed = run_tool(tool, *arguments, cwd=cwd)
    assert status == 0, printed
    return printed


def test_compares_with_the_textbook(tmp_path):
    output = run(
        '--sizes',
        '200',
        '400',
        '--json',
        str(tmp_path / 'new' / 'b.json'),
        cwd=tmp_path,
    )
    report = json.loads((tmp_path / 'new' / 'b.json').read_text())
    assert [row['N'] for row in report['rows']] == [200, 400]
    assert all(row['same labels'] for row in report['rows'])
    assert all(row['textbook s'] > row['ours s'] > 0 for row in report['rows'])
    assert 'ratio' in output
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['b.json']


def test_measures_each_stage_at_scale(tmp_path):
    sizes = '1000:exact', '1000:ivf'
    run('--scale', *sizes, '--json', str(tmp_path / 'b.json'), cwd=tmp_path)
    rows = json.loads((tmp_path / 'b.json').read_text())['rows']
    stages = ['neighbours', 'distance', 'dbscan']
    assert [row['stage'] for row in rows] == 2 * stages
    assert rows[0]['recall'] == 1
    assert 0.9 < rows[3]['recall'] <= 1
    assert rows[2]['ARI'] > 0.8
    assert 0.9 < rows[5]['ARI to exact'] <= 1
    assert all(row['peak MB'] > 50 for row in rows)


def test_runs_every_clusterer_on_given_features(tmp_path):
    pytest.importorskip('infomap', reason='infomap is an extra')
    features, pids, _ = generate_features(400, 32, noise=0.5)
    np.save(tmp_path / 'features.npy', features)
    np.save(tmp_path / 'pids.npy', pids)
    output = run(
        *('--features', str(tmp_path / 'features.npy')),
        *('--pids', str(tmp_path / 'pids.npy')),
        *('--json', str(tmp_path / 'b.json')),
        cwd=tmp_path,
    )
    rows = json.loads((tmp_path / 'b.json').read_text())['rows']
    names = ['DBSCAN', 'InfoMap', 'HDBSCAN', 'Agglomerative', 'KMeans']
    assert [row['clusterer'] for row in rows] == names
    assert rows[0]['ARI'] > 0.8
    assert 'True' in output  # the labels of the textbook


def test_the_textbook_version_is_the_public_code():
    golden = np.load(GOLDEN)
    features = golden['features']
    neighbors, _ = knn(features, 30, method='exact')
    distance = dense_jaccard(features, neighbors)
    np.testing.assert_allclose(distance, golden['distance'], atol=1e-5)
    labels, expected = dense_dbscan(distance), golden['dbscan_labels_eps0.6']
    assert len(set(zip(labels, expected, strict=True))) == len(set(expected))
    assert ((labels < 0) == (expected < 0)).all()


def test_generated_features():
    features, pids, cams = generate_features(5000, 64, n_cameras=3)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    assert len(np.unique(pids)) == 250
    assert set(cams) == {0, 1, 2}
    np.testing.assert_array_equal(generate_features(5000, 64, n_cameras=3)[0], features)
    assert not np.array_equal(generate_features(5000, 64, seed=1)[0], features)
    nearest = knn(features, 2)[0]
    others = nearest[nearest != np.arange(5000)[:, None]]
    assert (pids[others] == pids).mean() > 0.8
    values = np.linalg.svd(features, compute_uv=False)[4:60]
    slope = np.polyfit(np.log(np.arange(5, 61)), np.log(values), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


MEASURE_TWICE = """
import json
import numpy as np
from stage_meter import measure
added = []
for size in (20_000_000, 5_000_000):
    with measure() as stage:
        np.ones(size).sum()
    added.append(stage.added_mb)
print(json.dumps([added, stage.seconds, stage.cpu_seconds]))
"""


def test_memory_is_that_of_the_stage():
    """In a fresh process: this one may have memory to spare that others left."""
    result = subprocess.run(
        [sys.executable, '-c', MEASURE_TWICE],
        cwd=TOOLS,
        capture_output=True,
        text=True,
        check=True,
    )
    (large, small), seconds, cpu_seconds = json.loads(result.stdout)
    assert 150 < large < 190
    assert 25 < small < 60
    assert seconds > 0
    assert cpu_seconds > 0
