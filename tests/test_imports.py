"""What the parts of the package import, each where nothing was imported before.

One process imports one part after the other, and forks where two must not see each
other: the libraries take seconds.
"""

import json
import subprocess
import sys

import pytest
from conftest import ROOT

CODE = """
import json, os, sys

def loaded(*names):
    return [name for name in names if name in sys.modules]

def forked(act):
    read, write = os.pipe()
    if not os.fork():
        os.write(write, json.dumps(act()).encode())
        sys.stdout.flush()
        os._exit(0)
    os.close(write)
    os.wait()
    return json.loads(os.read(read, 10**6) or 'null')

found = {}
import mmreid_cc.clustering
found['clustering'] = loaded('mmengine.runner', 'mmpretrain', 'torch', 'infomap')
from mmreid_cc.evaluation import ranking_metrics, re_ranking
found['evaluation'] = loaded('mmengine.runner', 'mmpretrain')
import matplotlib.figure, mmcv, mmengine.runner, torchvision  # once, for both forks
for part in ('datasets', 'engine'):
    found[part] = forked(lambda: bool(__import__(f'mmreid_cc.{part}')))
from mmreid_cc.registry import METRICS
found['metrics'] = [METRICS.get(name).__module__ for name in ('ReIDMetric', 'Accuracy')]
print(json.dumps(found))
"""


@pytest.fixture(scope='module')
def printed():
    """The lines that the process prints."""
    done = subprocess.run(
        [sys.executable, '-c', CODE],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.fixture(scope='module')
def found(printed):
    return json.loads(printed[-1])


def test_nothing_of_other_libraries_is_printed(printed, found):
    assert found['datasets'] is found['engine'] is True
    assert len(printed) == 1, printed


def test_clustering_needs_no_framework(found):
    assert found['clustering'] == []


def test_functions_of_evaluation_need_neither_a_runner_nor_mmpretrain(found):
    assert found['evaluation'] == []


def test_bare_names_of_our_and_mmpretrains_metrics_are_found(found):
    assert found['metrics'] == [
        'mmreid_cc.evaluation.metrics.reid_metric',
        'mmpretrain.evaluation.metrics.single_label',
    ]
