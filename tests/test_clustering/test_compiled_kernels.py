import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from mmreid_cc.clustering import compiled_kernels
from mmreid_cc.clustering.compiled_kernels import kernel

KERNELS = """
from .compiled_kernels import kernel

@kernel
def double(value):
    return 2 * value

@kernel
def doubled(values):
    return double(values[0]) + double(values[1])
"""
CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from mmreid_cc import kernels
print(kernels.__file__)
print(kernels.doubled(np.array([1, 2])))
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


def test_all_kernels_are_compiled_here():
    package = Path(compiled_kernels.__file__).parent
    files = [f.name for f in package.rglob('*.py') if 'njit' in f.read_text()]
    assert files == ['compiled_kernels.py']


def test_runs_where_nothing_can_be_written(tmp_path):
    copy = tmp_path / 'mmreid_cc'
    copy.mkdir()
    (copy / '__init__.py').touch()
    (copy / 'kernels.py').write_text(KERNELS)
    shutil.copy(compiled_kernels.__file__, copy)
    (copy / '__pycache__').touch()  # no folder: not even root writes
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
    assert f'{copy / "kernels.py"}\n6' in result.stdout
    assert output.count('Set NUMBA_CACHE_DIR to a folder that can be written') == 1
