"""The examples in docstrings print what they say."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope

from mmreid_cc import clustering, evaluation, models

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = [
    module.name
    for package in (clustering, evaluation, models)  # that need no files
    for module in pkgutil.walk_packages(package.__path__, f'{package.__name__}.')
]


class Runner(doctest.DocTestRunner):
    """Leave out an example on files and variables of the reader.

    It stops at a name that is not defined or a file that is not there. What it would
    print is not compared, nor are the lines behind it.
    """

    def report_unexpected_exception(self, out, test, example, exc_info):
        kind, error, _ = exc_info
        expected = example.want.startswith(f'{kind.__name__}: ')  # without a traceback
        if not expected and not isinstance(error, (NameError, OSError)):
            super().report_unexpected_exception(out, test, example, exc_info)
            self.wrong = True

    def report_failure(self, out, test, example, got):
        super().report_failure(out, test, example, got)
        self.wrong = True


@pytest.mark.parametrize('module', MODULES)
def test_examples(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = clustering.CLUSTERERS.module_dict
    monkeypatch.setattr(clustering.CLUSTERERS, '_module_dict', dict(known))
    loaded = importlib.import_module(module)
    names = dict(np=np, torch=torch)
    problems = []
    for test in doctest.DocTestFinder().find(loaded, extraglobs=names):
        runner = Runner(optionflags=FLAGS)
        runner.wrong = False
        printed = []
        with DefaultScope.overwrite_default_scope('mmreid_cc'):
            runner.run(test, out=printed.append)
        if runner.wrong:
            problems += printed
    assert not problems, ''.join(problems)
