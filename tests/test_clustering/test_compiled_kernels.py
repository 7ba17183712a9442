import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import mmreid_cc
from mmreid_cc.clustering.compiled_kernels import kernel

CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from mmreid_cc.clustering import knn
import mmreid_cc
print(mmreid_cc.__file__)
print(knn(np.eye(2), 1)[0].tolist())
"""


@kernel
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result


def test_a_kernel_is_compiled_and_kept():
    assert total(np.ones(3)) == 3
    assert total.nopython_signatures
    assert Path(total.stats.cache_path).is_dir()


def test_runs_where_nothing_can_be_written(tmp_path):
    package = Path(mmreid_cc.__file__).parent
    copy = tmp_path / 'mmreid_cc'
    skipped = shutil.ignore_patterns('__pycache__')
    copy.mkdir()
    for name in ('__init__.py', 'version.py'):
        shutil.copy(package / name, copy / name)
    shutil.copytree(package / 'clustering', copy / 'clustering', ignore=skipped)
    (copy / 'clustering' / '__pycache__').touch()  # no folder: not even root writes
    nowhere = {'HOME': os.devnull, 'XDG_CACHE_HOME': os.devnull}
    result = subprocess.run(
        [sys.executable, '-c', CODE, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
        check=True,
    )
    output = result.stdout + result.stderr
    assert f'{copy / "__init__.py"}\n[[0], [1]]' in result.stdout
    assert output.count('Set NUMBA_CACHE_DIR to a folder that can be written') == 1
