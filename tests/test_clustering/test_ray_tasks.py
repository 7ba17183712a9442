"""Clustering on the workers of Ray, some of which are killed."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
from conftest import need_extra
from dense_oracle import re_id_like
from feature_shards import found_neighbors, labels_of_one_machine, write_features
from pyarrow import parquet
from tool_runs import ROOT

from mmreid_cc.clustering.sharded import RayTasks, cluster_files
from mmreid_cc.clustering.sharded.cells import assign_cells
from mmreid_cc.clustering.sharded.feature_files import in_batches, inspect_files
from mmreid_cc.clustering.sharded.job import Job
from mmreid_cc.clustering.sharded.tasks import LocalTasks

need_extra('ray', 'several machines are the extra "ray"')
MEBI = 2**20
SETTINGS = dict(eps=0.55, min_samples=3, k1=12, k2=4)
OPTIONS = [
    '--ray',
    '--workers',
    '2',
    '--dbscan',
    *(f'{k}={SETTINGS[k]}' for k in SETTINGS),
]


def check_labels(labels, features, files, folder):
    neighbors, _ = found_neighbors(files, folder)
    expected = labels_of_one_machine(features, neighbors, **SETTINGS)
    np.testing.assert_array_equal(labels, expected)
    assert labels.max() > 5


def start(folder, files):
    """Start the tool as a command."""
    command = [sys.executable, str(ROOT / 'tools' / 'cluster_features.py'), *files]
    return subprocess.Popen(
        [*map(str, command), '--out', 'labels.parquet', *OPTIONS],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_worker(parent, task):
    """Kill a worker of Ray in the middle of a task; return whether one was seen."""
    end = time.monotonic() + 100
    while time.monotonic() < end:
        for process in psutil.Process(parent).children(recursive=True):
            try:
                if process.cmdline()[:1] == [f'ray::{task}']:
                    os.kill(process.pid, signal.SIGKILL)
                    return True
            except psutil.NoSuchProcess:
                pass
        time.sleep(0.001)
    return False


def test_labels_and_errors_come_back(tmp_path):
    features = re_id_like(200, 15, 16)[0]
    files = write_features(tmp_path / 'features', features, [70, 70])
    with RayTasks(workers=1) as tasks:
        labels = cluster_files(files, tmp_path / 'work', tasks, SETTINGS)
        check_labels(labels, features, files, tmp_path / 'work')
        assert tasks.costs['distance'].peak_mb > 0
        job = Job(in_batches(inspect_files(files).parts, 100), None)
        files[0].unlink()
        with pytest.raises(FileNotFoundError, match='is not there, as seen from'):
            tasks.run('cells', assign_cells, job, [0])


@pytest.mark.slow  # starts Ray, and clusters 60,000 rows
@pytest.mark.parametrize('task', ['propose', 'refine', 'find_distances'])
def test_killed_workers(task, tmp_path):
    features = re_id_like(60_000, 4000, 64)[0]
    files = write_features(tmp_path / 'features', features, [20_000, 50_000])
    killed = []
    with RayTasks(workers=2) as tasks:
        killer = threading.Thread(
            target=lambda: killed.append(kill_worker(os.getpid(), task))
        )
        killer.start()
        labels = cluster_files(files, tmp_path / 'work', tasks, SETTINGS)
        killer.join()
    assert killed == [True]
    check_labels(labels, features, files, tmp_path / 'work')


@pytest.mark.slow  # starts Ray four times
def test_a_driver_that_is_killed_again_and_again(tmp_path):
    features = re_id_like(20_000, 1500, 64)[0]
    files = write_features(tmp_path / 'features', features, [8000])
    for stage in ('features', 'lists-1', 'mutual'):
        process = start(tmp_path, files)
        folder = tmp_path / 'labels.parquet.work' / stage
        while process.poll() is None and not list(folder.glob('*.parquet')):
            time.sleep(0.01)
        assert process.poll() is None, process.stdout.read()
        process.kill()
        process.wait()
        assert not (tmp_path / 'labels.parquet').exists()
    process = start(tmp_path, files)
    printed = process.communicate()[0]
    assert process.returncode == 0, printed
    assert 'clusters in 20000 images' in printed
    table = parquet.read_table(tmp_path / 'labels.parquet')
    assert table['path'].to_pylist() == [f'crops/{row}.jpg' for row in range(20_000)]
    labels = table['label'].to_numpy()
    check_labels(labels, features, files, tmp_path / 'labels.parquet.work')


@pytest.mark.slow  # starts Ray
@pytest.mark.parametrize(('given', 'times'), [(1, 200), (200, 1)])
def test_no_room_for_objects(given, times):
    """What a task returns, or what it is given, does not fit."""
    import ray

    # The disk counts as full, so that nothing spills from the 80 MiB in memory.
    ray.init(
        num_cpus=1,
        include_dashboard=False,
        object_store_memory=80 * MEBI,
        _system_config=dict(local_fs_capacity_threshold=1e-4),
    )
    try:
        job = np.zeros(given * MEBI, dtype=np.uint8)
        with RayTasks(workers=1) as tasks, pytest.raises(OSError) as raised:
            tasks.run('repeat', np.repeat, job, [times])
    finally:
        ray.shutdown()
    assert raised.value.errno == errno.ENOSPC
    assert 'Ray has no room left' in str(raised.value)


def test_without_ray(monkeypatch):
    monkeypatch.setattr('mmreid_cc.ray_session.find_spec', lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "mmreid-cc\[ray\]"'):
        RayTasks()


def test_a_task_says_what_it_costs():
    tasks = LocalTasks()
    assert tasks.run('add', lambda job, number: job + number, 1, [2, 5]) == [3, 6]
    assert tasks.costs['add'].peak_mb > 10
