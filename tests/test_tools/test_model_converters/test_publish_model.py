"""A published checkpoint is the weights of a run, named by their content."""

import hashlib
import sys

import pytest
import torch
from conftest import ROOT
from mmengine.runner import Runner

TOOLS = ROOT / 'tools' / 'model_converters'
sys.path.insert(0, str(TOOLS))

import publish_model  # noqa: E402  after the path


def test_publish(tiny_config, tmp_path, monkeypatch, capsys):
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    trained = tmp_path / 'work_dir' / 'epoch_2.pth'
    out = tmp_path / 'models' / 'tiny.pth'
    monkeypatch.setattr(sys, 'argv', ['publish_model.py', str(trained), str(out)])
    publish_model.main()

    (published,) = out.parent.iterdir()
    digits = hashlib.sha256(published.read_bytes()).hexdigest()[:8]
    assert published.name == f'tiny-{digits}.pth'
    assert published.name in capsys.readouterr().out
    content = torch.load(published, weights_only=True)
    assert set(content) == {'meta', 'state_dict'}
    assert str(tmp_path).encode() not in published.read_bytes()
    expected = runner.model.state_dict()
    assert set(content['state_dict']) == set(expected)
    assert all(content['state_dict'][k].equal(v) for k, v in expected.items())
    # The name of the checkpoint itself: it is not replaced.
    before = trained.read_bytes()
    assert publish_model.publish(trained, trained).name.startswith('epoch_2-')
    assert trained.read_bytes() == before
    # The Runner tests it.
    tiny_config.load_from = str(published)
    tiny_config.experiment_name += '_test'
    assert Runner.from_cfg(tiny_config).test()['reid/mAP'] > 0


def test_wrong_name(tmp_path):
    with pytest.raises(ValueError, match=r'model\.pt must end in \.pth'):
        publish_model.publish(tmp_path / 'a.pth', tmp_path / 'model.pt')
