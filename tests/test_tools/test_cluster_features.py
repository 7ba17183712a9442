"""From files of embeddings to a file of labels, by the command line."""

import numpy as np
import pytest
from pyarrow import parquet
from tool_runs import run_tool

from mmreid_cc.apis.feature_clustering import cluster_in_memory, feature_files
from mmreid_cc.apis.parquet_file import embedding_table
from mmreid_cc.apis.shard_files import ShardPlan, open_folder, shard_file, write_shard
from mmreid_cc.clustering import CLUSTERERS

SETTINGS = dict(eps=0.5, min_samples=2, k1=6, k2=2)
PATHS = [f'crops/Tür {row}.jpg' for row in range(60)]


def features_of(count):
    rng = np.random.default_rng(0)
    features = np.repeat(rng.normal(size=(count // 5, 16)), 5, axis=0)
    features += 0.3 * rng.normal(size=features.shape)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features.astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    """Embeddings as the tool for extraction writes them by Ray, one shard empty."""
    features = features_of(60)
    open_folder(tmp_path / 'features', ShardPlan(60, 25, 'x', 'abc', 'float32'))
    for shard, rows in enumerate((slice(0, 25), slice(0, 0), slice(25, 60))):
        table = embedding_table(features[rows], PATHS[rows], {})
        write_shard(tmp_path / 'features', shard, table, {}, 'abc')
    return tmp_path


def labels_in(file):
    table = parquet.read_table(file)
    assert table.column_names == ['path', 'label']
    assert table['path'].to_pylist() == PATHS
    return table['label'].to_numpy()


def test_in_one_process(folder):
    options = [f'{name}={value}' for name, value in SETTINGS.items()]
    arguments = 'features', '--out', 'l.parquet', '--dbscan', *options
    status, printed = run_tool('cluster_features.py', *arguments, cwd=folder)
    assert status == 0, printed
    expected = CLUSTERERS.build(dict(type='DBSCAN', **SETTINGS))
    expected = expected.fit_predict(features_of(60))
    np.testing.assert_array_equal(labels_in(folder / 'l.parquet'), expected)
    assert f'{expected.max() + 1} clusters in 60 images' in printed

    files = feature_files([folder / 'features'])
    for settings, config in (({}, 'DBSCAN'), (None, 'AutoDBSCAN')):
        expected = CLUSTERERS.build(dict(type=config)).fit_predict(features_of(60))
        found = cluster_in_memory(files, settings)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow  # starts Ray
def test_on_ray(folder):
    pytest.importorskip('ray', reason='several machines are the extra "ray"')
    arguments = 'features', '--out', 'l.parquet', '--ray', '--workers', '2'
    status, printed = run_tool('cluster_features.py', *arguments, cwd=folder)
    assert status == 0, printed
    clusterer = CLUSTERERS.build(dict(type='AutoDBSCAN'))
    clusterer.fit_predict(features_of(60))
    best = CLUSTERERS.build(dict(type='DBSCAN', **clusterer.chosen))
    expected = best.fit_predict(features_of(60))
    np.testing.assert_array_equal(labels_in(folder / 'l.parquet'), expected)
    assert 'distance: ' in printed
    status, printed = run_tool(
        'cluster_features.py', *arguments, '--dbscan', cwd=folder
    )
    assert status == 1
    assert 'was begun with other files or settings: settings auto, now' in printed


def test_what_is_not_allowed(folder):
    for arguments, message in (
        (['features', '--out', 'l.csv'], '--out must end in .parquet'),
        (['features', '--out', 'l.parquet', '--workers', '2'], 'need --ray'),
        (['none.parquet', '--out', 'l.parquet'], 'none.parquet is not there'),
        (['features', '--out', 'l.parquet', '--dbscan', 'eps=2'], 'eps must lie'),
    ):
        status, printed = run_tool('cluster_features.py', *arguments, cwd=folder)
        assert status != 0
        assert message in printed, printed


def test_files_are_neither_replaced_nor_taken_twice(folder):
    shard = shard_file(folder / 'features', 0)
    content = shard.read_bytes()
    status, printed = run_tool(
        'cluster_features.py', 'features', '--out', shard, cwd=folder
    )
    assert status == 1
    assert 'would be replaced by the results, and it is read' in printed
    assert shard.read_bytes() == content
    with pytest.raises(ValueError, match=r'000000.parquet is named twice'):
        feature_files([folder / 'features', shard])
    arguments = 'features', '--out', 'labels.parquet', '--dbscan', 'eps'
    status, printed = run_tool('cluster_features.py', *arguments, cwd=folder)
    assert status == 2
    assert '--dbscan eps: write it as key=value' in printed


def test_a_folder_that_is_not_complete(folder):
    shard_file(folder / 'features', 1).unlink()
    with pytest.raises(FileNotFoundError, match=r'extract_features\.py again'):
        feature_files([folder / 'features'])
    with pytest.raises(FileNotFoundError, match=r'it has no plan\.json'):
        feature_files([folder])
