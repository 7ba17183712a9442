"""The stages of the benchmark of galleries, on a small one."""

import sys
from pathlib import Path

from conftest import need_extra

TOOLS = Path(__file__).parents[2] / 'tools' / 'analysis_tools'
sys.path.insert(0, str(TOOLS))

import benchmark_gallery as stages  # noqa: E402

need_extra('lancedb', 'galleries on disk are the extra "lancedb"')


def test_stages(tmp_path):
    stages.write(tmp_path, count=600, dim=16, queries=30, seed=0)
    assert stages.index(tmp_path)['seconds'] > 0
    assert stages.exact(tmp_path)['milliseconds'] > 0
    found = stages.search(tmp_path)
    assert found['recall'] == found['estimated_recall'] == 1  # so few have no index
    assert 1 < stages.memory_mb('VmRSS') <= stages.memory_mb('VmHWM')
