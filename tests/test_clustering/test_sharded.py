"""Clustering by tasks: the labels of one machine, whatever happens meanwhile."""

import errno
import os

import numpy as np
import pytest
from dense_oracle import re_id_like
from feature_shards import found_neighbors, labels_of_one_machine, write_features
from pyarrow import parquet

from mmreid_cc.clustering import AutoDBSCAN, knn, neighbor_recall
from mmreid_cc.clustering.sharded import cluster_files, layout
from mmreid_cc.clustering.sharded.layout import stage_file
from mmreid_cc.clustering.sharded.row_files import write_rows
from mmreid_cc.clustering.sharded.tasks import LocalTasks

pytest.importorskip('pyarrow', reason='Parquet is an extra')
SETTINGS = dict(eps=0.55, min_samples=3, k1=12, k2=4)


class ManyTasks(LocalTasks):
    """As many groups as for several workers."""

    def __init__(self, workers):
        super().__init__()
        self.count = workers

    workers = property(lambda self: self.count)


class StoppedTasks(ManyTasks):
    """Ends the run after so many tasks, in the middle of a stage."""

    def __init__(self, workers, left):
        super().__init__(workers)
        self.left = left

    def results(self, task, job, numbers):
        for found in super().results(task, job, numbers):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
            yield found


def check_same(features, bounds, folder, settings=SETTINGS, workers=1):
    """Cluster, and compare with one machine; return the labels."""
    files = write_features(folder / 'features', features, bounds)
    labels = cluster_files(files, folder / 'work', ManyTasks(workers), settings)
    neighbors, _ = found_neighbors(files, folder / 'work')
    expected = labels_of_one_machine(features, neighbors, **settings)
    np.testing.assert_array_equal(labels, expected)
    return labels


@pytest.fixture(scope='module')
def features():
    return re_id_like(500, 40, 24)[0]


@pytest.mark.parametrize('dtype', [np.float16, np.float32])
def test_labels_are_those_of_one_machine(features, dtype, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, 'ROWS_PER_BLOCK', 64)  # several blocks of a group
    features = features.astype(dtype)
    labels = check_same(features, [200, 200, 350], tmp_path)  # one file is empty
    assert 25 < labels.max() < 45
    assert (labels < 0).any()
    files = sorted((tmp_path / 'features').iterdir())
    neighbors, similarities = found_neighbors(files, tmp_path / 'work')
    assert neighbor_recall(features, similarities) > 0.95
    same = neighbors == knn(features, 12, method='ivf')[0]
    assert same.all(axis=1).mean() > 0.99
    kept = {path.name for path in (tmp_path / 'work').iterdir()}
    stages = {'centroids', 'cells', 'features', 'neighbors', 'twins', 'distance'}
    assert kept == {'plan.json', *stages}


@pytest.mark.parametrize('k2', [1, 12])
def test_with_and_without_query_expansion(features, k2, tmp_path):
    check_same(features[:300], [], tmp_path, dict(SETTINGS, k2=k2))


@pytest.mark.parametrize('n_rows', [1, 2, 7])
def test_fewer_rows_than_tasks(features, n_rows, tmp_path):
    check_same(features[:n_rows], [1, 1][: n_rows - 1], tmp_path, workers=4)


def test_copies_and_a_cell_with_a_third_of_all_rows(features, tmp_path):
    rng = np.random.default_rng(1)
    close = features[:1] + 1e-3 * rng.standard_normal((300, 24))
    close /= np.linalg.norm(close, axis=1, keepdims=True)
    odd = np.concatenate([features[:400], close, np.repeat(features[5:6], 200, axis=0)])
    labels = check_same(rng.permutation(odd.astype(np.float32)), [500], tmp_path)
    assert labels.max() > 20


def test_copies_by_the_thousand(features, tmp_path):
    copies = np.repeat(features[[3, 8]], [1500, 3], axis=0)
    mixed = np.random.default_rng(1).permutation(np.concatenate([features, copies]))
    labels = check_same(mixed, [900], tmp_path)
    assert np.bincount(labels[labels >= 0]).max() >= 1500
    files = (tmp_path / 'work' / 'distance').iterdir()
    assert sum(file.stat().st_size for file in files) < 500_000  # of 2,250,000 pairs


@pytest.mark.slow  # 104,000 rows
def test_copies_by_the_hundred_thousand(tmp_path):
    features, _ = re_id_like(4000, 300, 24)
    copies = np.repeat(features[7:8], 100_000, axis=0)
    mixed = np.random.default_rng(1).permutation(np.concatenate([features, copies]))
    files = write_features(tmp_path / 'features', mixed, [50_000])
    labels = cluster_files(files, tmp_path / 'work', ManyTasks(2), SETTINGS)
    own = labels[(mixed == features[7]).all(axis=1)]
    assert own[0] >= 0
    assert (own == own[0]).all()
    # All others are clustered as without the copies.
    others = (mixed != features[7]).any(axis=1)
    assert 200 < len(np.unique(labels[others])) < 400
    files = (tmp_path / 'work' / 'distance').iterdir()
    assert sum(file.stat().st_size for file in files) < 50_000_000  # of 10¹⁰ pairs


def test_cells_that_hold_too_few(tmp_path):
    # No cell near a row holds enough others: it is compared with all.
    features = np.eye(40, dtype=np.float32)
    check_same(features, [], tmp_path, dict(SETTINGS, k1=39))


def test_goes_on_after_an_interruption(features, tmp_path):
    files = write_features(tmp_path, features[:200], [90])
    expected = cluster_files(files, tmp_path / 'whole', ManyTasks(2), SETTINGS)
    turns = 0
    while True:
        tasks = StoppedTasks(2 + turns, 31)  # other workers each time
        try:
            labels = cluster_files(files, tmp_path / 'parts', tasks, SETTINGS)
            break
        except KeyboardInterrupt:
            turns += 1
    assert turns >= 4
    np.testing.assert_array_equal(labels, expected)
    before = stage_file(str(tmp_path / 'parts'), 'distance', 3).stat().st_mtime_ns
    tasks = ManyTasks(2)
    again = cluster_files(files, tmp_path / 'parts', tasks, SETTINGS)
    np.testing.assert_array_equal(again, expected)
    after = stage_file(str(tmp_path / 'parts'), 'distance', 3).stat().st_mtime_ns
    assert before == after
    assert not any(cost.cpu_seconds for cost in tasks.costs.values())


def test_settings_are_found_on_a_sample(features, tmp_path):
    files = write_features(tmp_path, features[:100], [])
    labels = cluster_files(files, tmp_path / 'work', ManyTasks(1))
    clusterer = AutoDBSCAN()
    clusterer.fit_predict(features[:100])
    neighbors, _ = found_neighbors(files, tmp_path / 'work')
    expected = labels_of_one_machine(features[:100], neighbors, **clusterer.chosen)
    np.testing.assert_array_equal(labels, expected)
    assert labels.max() > 10


def test_settings_where_nobody_is_found(tmp_path):
    files = write_features(tmp_path, np.ones((30, 1), np.float32), [])
    labels = cluster_files(files, tmp_path / 'work', ManyTasks(1))
    expected = AutoDBSCAN().fit_predict(np.ones((30, 1), np.float32))
    np.testing.assert_array_equal(labels, expected)


class TestErrors:
    def test_another_run(self, features, tmp_path):
        files = write_features(tmp_path, features[:20], [10])
        cluster_files(files, tmp_path / 'work', ManyTasks(1), SETTINGS)
        for others, settings, what in (
            (files, dict(SETTINGS, eps=0.5), 'settings'),
            (files[::-1], SETTINGS, 'files'),
            (files[:1], SETTINGS, 'rows 20, now 10'),
        ):
            with pytest.raises(ValueError, match=f'other files or settings: {what}'):
                cluster_files(others, tmp_path / 'work', ManyTasks(1), settings)

    def test_files_that_do_not_belong_together(self, features, tmp_path):
        first = write_features(tmp_path / 'a', features[:20], [])
        other = write_features(tmp_path / 'b', features[:20], [], model_hash='xyz')
        wide = write_features(tmp_path / 'c', np.eye(3, dtype=np.float32), [])
        half = write_features(tmp_path / 'd', features[:20].astype(np.float16), [])
        for files, what in ((other, 'model hash xyz'), (wide, 'dim'), (half, 'numb')):
            with pytest.raises(ValueError, match=f'do not belong together: {what}'):
                cluster_files([*first, *files], tmp_path / 'work', ManyTasks(1))

    def test_what_is_no_file_of_features(self, features, tmp_path):
        (file,) = write_features(tmp_path, features[:20], [])
        table = parquet.read_table(file)
        parquet.write_table(table.drop_columns(['embedding']), tmp_path / 'no.parquet')
        (tmp_path / 'text.parquet').write_text('no Parquet')
        empty = write_features(tmp_path / 'empty', features[:0], [])
        for name, error, message in (
            ('no', ValueError, "no column 'embedding'"),
            ('text', ValueError, 'is no Parquet file'),
            ('gone', FileNotFoundError, 'gone.parquet is not there'),
        ):
            with pytest.raises(error, match=message):
                cluster_files(
                    [tmp_path / f'{name}.parquet'], tmp_path / 'work', ManyTasks(1)
                )
        with pytest.raises(ValueError, match='There is no image in'):
            cluster_files(empty, tmp_path / 'work', ManyTasks(1))

    def test_features_that_are_no_directions(self, features, tmp_path):
        files = write_features(tmp_path, features[:20] * 2, [10])
        with pytest.raises(ValueError, match=r'0\.parquet: .* must be L2-normalised'):
            cluster_files(files, tmp_path / 'work', ManyTasks(1))

    def test_settings(self, features, tmp_path):
        files = write_features(tmp_path, features[:20], [])
        for settings, message in ((dict(epsilon=1), 'not epsilon'), (dict(eps=2), '2')):
            with pytest.raises(ValueError, match=message):
                cluster_files(files, tmp_path / 'work', ManyTasks(1), settings)

    def test_a_file_that_vanished(self, features, tmp_path):
        files = write_features(tmp_path, features[:150], [60])
        with pytest.raises(KeyboardInterrupt):
            cluster_files(files, tmp_path / 'work', StoppedTasks(2, 4), SETTINGS)
        files[1].rename(tmp_path / 'moved')
        with pytest.raises(FileNotFoundError, match=r'1\.parquet is not there'):
            cluster_files(files, tmp_path / 'work', ManyTasks(2), SETTINGS)
        (tmp_path / 'moved').rename(files[1])
        labels = cluster_files(files, tmp_path / 'work', ManyTasks(2), SETTINGS)
        stage_file(str(tmp_path / 'work'), 'features', 1).unlink()
        # What is missing is made again.
        again = cluster_files(files, tmp_path / 'work', ManyTasks(2), SETTINGS)
        np.testing.assert_array_equal(again, labels)

    @pytest.mark.skipif(not os.path.exists('/dev/full'), reason='Linux has /dev/full')
    def test_no_space(self, tmp_path):
        (tmp_path / 'lists').mkdir()
        file = stage_file(str(tmp_path), 'lists', 0)
        name = f'.{file.name}.{os.uname().nodename}-{os.getpid()}'
        file.with_name(name).symlink_to('/dev/full')
        with pytest.raises(OSError, match=f'No space .* in {tmp_path}') as caught:
            write_rows(file, dict(number=np.zeros((10**6, 8))))
        assert caught.value.errno == errno.ENOSPC
        assert not list(file.parent.iterdir())
