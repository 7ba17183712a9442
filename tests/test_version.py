"""The version stands in four places, and they agree."""

import re
import runpy
from importlib.metadata import version

import mmengine
import pytest
from conftest import ROOT

import mmreid_cc
from mmreid_cc.collect_env import collect_env, main


def test_citation_and_changelog():
    citation = (ROOT / 'CITATION.cff').read_text()
    assert re.search(r'^version: (.+)$', citation, re.M)[1] == mmreid_cc.__version__
    changelog = (ROOT / 'docs' / 'changelog.md').read_text()
    newest = re.search(r'^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$', changelog, re.M)
    assert newest[1] == mmreid_cc.__version__


def test_command_line(monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['mmreid_cc', '--version'])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module('mmreid_cc', run_name='__main__')
    assert ended.value.code == 0
    assert capsys.readouterr().out == f'{mmreid_cc.__version__}\n'


def test_what_a_bug_report_needs(capsys):
    env = collect_env()
    assert env['mmreid_cc'] == mmreid_cc.__version__
    assert env['MMEngine'].startswith(f'{mmengine.__version__} (')
    assert env['numba'] == version('numba')
    assert {'Python', 'PyTorch', 'CUDA available', 'OpenCV'} <= set(env)
    main()
    printed = capsys.readouterr().out
    assert f'mmreid_cc: {mmreid_cc.__version__}\n' in printed
