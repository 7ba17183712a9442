import subprocess
import sys
from pathlib import Path

import mmreid_cc

ROOT = Path(mmreid_cc.__file__).parents[1]


def run(code):
    command = [sys.executable, '-c', code]
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_functions_need_neither_a_runner_nor_mmpretrain():
    loaded = run(
        'import sys; from mmreid_cc.evaluation import ranking_metrics, re_ranking; '
        "print([m for m in ('mmengine.runner', 'mmpretrain') if m in sys.modules])"
    )
    assert loaded == '[]'


def test_bare_names_of_our_and_mmpretrain_s_metrics_are_found():
    classes = run(
        'from mmreid_cc.registry import METRICS; '
        "names = 'ReIDMetric', 'Accuracy'; "
        'print(*(METRICS.get(name).__module__ for name in names))'
    )
    assert classes == (
        'mmreid_cc.evaluation.metrics.reid_metric '
        'mmpretrain.evaluation.metrics.single_label'
    )
