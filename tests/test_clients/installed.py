"""Programs that others wrote, installed from PyPI into environments of their own."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmreid_cc.registry import MODELS

SCRIPTS = Path(__file__).parent / 'scripts'
SIZE = (64, 32)


class Client:
    """An environment with what is installed here, and some packages more.

    What a client needs in another version shadows ours, which stays as it is.
    """

    def __init__(self, folder, *packages):
        subprocess.run([sys.executable, '-m', 'venv', folder], check=True)
        self.python = folder / 'bin' / 'python'
        ours = f'import site; site.addsitedir({sysconfig.get_path("purelib")!r})\n'
        site = next(folder.glob('lib/python*/site-packages'))
        (site / '_ours.pth').write_text(ours)
        pip = [self.python, '-m', 'pip', 'install', '--quiet', *packages]
        done = subprocess.run(
            [*pip, '--disable-pip-version-check'], capture_output=True, text=True
        )
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1]
            pytest.skip(f'pip cannot install {" ".join(packages)}: {last}')

    def run(self, script, *arguments):
        """The JSON in the last line that a script prints."""
        done = subprocess.run(
            [self.python, SCRIPTS / script, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**os.environ, 'OMP_NUM_THREADS': '1'},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])


def small_model():
    """A network whose embeddings of different colours differ."""
    config = Config.fromfile(ROOT / 'configs' / 'cc_r18_synthetic.py')
    config.model.backbone.update(stem_channels=8, base_channels=8, init_cfg=None)
    config.model.head.in_channels = 64
    init_default_scope('mmreid_cc')
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    # Statistics for the BN layers; they centre the embeddings.
    colours = torch.randn(64, 3, 1, 1) + 0.1 * torch.randn(64, 3, *SIZE)
    with torch.no_grad():
        for _ in range(40):
            model(colours)
    return model.eval()
