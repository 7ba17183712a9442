import signal
import subprocess
import threading

import numba
import numpy as np
import pytest
from tool_runs import start_server

from mmreid_cc.clustering.parallel import join_rows, map_row_blocks, row_pointers


@pytest.mark.parametrize('n_rows', [1, 1023, 1024, 1025, 5000])
def test_blocks_cover_all_rows_in_order(n_rows):
    blocks = map_row_blocks(range, n_rows, 1)  # 1 is passed on, as the step
    assert [row for block in blocks for row in block] == list(range(n_rows))


def test_number_of_threads_follows_numba(monkeypatch):
    def threads_used():
        together = threading.Barrier(numba.config.NUMBA_NUM_THREADS, timeout=30)

        def kernel(first, last):
            together.wait()
            return threading.get_ident()

        rows = 1024 * numba.config.NUMBA_NUM_THREADS
        return len(set(map_row_blocks(kernel, rows)))

    for n_threads in (1, 3):
        monkeypatch.setattr(numba.config, 'NUMBA_NUM_THREADS', n_threads)
        assert threads_used() == n_threads


def test_an_error_in_a_kernel_comes_out():
    def kernel(first, last):
        if first > 0:
            raise ArithmeticError('row 1024')

    with pytest.raises(ArithmeticError, match='row 1024'):
        map_row_blocks(kernel, 3000)


def test_pointers_grow_beyond_int32():
    assert row_pointers(np.array([1, 0, 2])).tolist() == [0, 1, 1, 3]
    assert row_pointers(np.array([2**30])).dtype == np.int32
    large = row_pointers(np.array([2**30, 2**30], dtype=np.int32))
    assert large.dtype == np.int64
    assert large[-1] == 2**31


def test_blocks_of_unequal_rows_are_joined():
    blocks = [
        (np.array([2, 0]), np.array([4, 5]), np.array([0.4, 0.5])),
        (np.array([1]), np.array([6]), np.array([0.6])),
    ]
    indptr, indices, data = join_rows(blocks)
    assert indptr.tolist() == [0, 2, 2, 3]
    assert indices.tolist() == [4, 5, 6]
    assert data.tolist() == [0.4, 0.5, 0.6]


ENDLESS = """
import numba
import numpy as np
numba.config.NUMBA_NUM_THREADS = 2
from mmreid_cc.clustering import DBSCAN
features = np.random.default_rng(0).standard_normal((4000, 64))
features /= np.linalg.norm(features, axis=1, keepdims=True)
clusterer = DBSCAN()
clusterer.fit_predict(features[:100])
print('ready', flush=True)
while True:
    clusterer.fit_predict(features)
"""


def test_ctrl_c_ends_clustering_at_once(tmp_path):
    script = tmp_path / 'endless.py'
    script.write_text(ENDLESS)
    process = subprocess.Popen(
        [start_server(), script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == 'ready\n'
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode != 0
    assert 'Interrupt' in stderr or 'interrupted' in stderr
